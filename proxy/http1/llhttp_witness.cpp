#include "proxy/http1/llhttp_witness.h"

#include <llhttp.h>

namespace weir::proxy {

struct LlhttpWitness::State {
  llhttp_settings_t settings{};
  llhttp_t parser{};
  const Reading* reading = nullptr;
  std::size_t names = 0;
  std::size_t values = 0;
  bool agrees = true;
  bool complete = false;
  std::string_view objection;

  static State& of(llhttp_t* parser) { return *static_cast<State*>(parser->data); }
  bool same(std::string_view ours, const char* at, std::size_t size) {
    return agrees = agrees && ours.data() == at && ours.size() == size;
  }

  static int on_method(llhttp_t* parser, const char* at, std::size_t size) {
    State& state = of(parser);
    state.same(state.reading->method, at, size);
    return 0;
  }
  static int on_url(llhttp_t* parser, const char* at, std::size_t size) {
    State& state = of(parser);
    state.same(state.reading->target, at, size);
    return 0;
  }
  static int on_field(llhttp_t* parser, const char* at, std::size_t size) {
    State& state = of(parser);
    const auto& headers = *state.reading->headers;
    if (state.names >= headers.size()) return state.agrees = false, 0;
    state.same(headers[state.names++].name, at, size);
    return 0;
  }
  static int on_value(llhttp_t* parser, const char* at, std::size_t size) {
    State& state = of(parser);
    const auto& headers = *state.reading->headers;
    if (state.values >= headers.size()) return state.agrees = false, 0;
    const std::string_view ours = headers[state.values++].value;
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t')) --size;  // llhttp leaves them on
    // An empty value stands nowhere.
    if (!ours.empty() || size != 0) state.same(ours, at, size);
    return 0;
  }
  static int on_headers_complete(llhttp_t* parser) {
    of(parser).complete = true;
    return HPE_PAUSED;  // the body is BodyDecoder's
  }
};

LlhttpWitness::LlhttpWitness() : state_(std::make_unique<State>()) {
  llhttp_settings_init(&state_->settings);
  state_->settings.on_method = State::on_method;
  state_->settings.on_url = State::on_url;
  state_->settings.on_header_field = State::on_field;
  state_->settings.on_header_value = State::on_value;
  state_->settings.on_headers_complete = State::on_headers_complete;
}
LlhttpWitness::~LlhttpWitness() = default;
LlhttpWitness::LlhttpWitness(LlhttpWitness&&) noexcept = default;
LlhttpWitness& LlhttpWitness::operator=(LlhttpWitness&&) noexcept = default;

bool LlhttpWitness::confirms(std::string_view head, const Reading& reading) {
  State& state = *state_;
  llhttp_t& parser = state.parser;
  parser.data = &state;
  state.reading = &reading;
  state.names = state.values = 0;
  state.agrees = true;
  state.complete = false;
  const llhttp_errno_t result = llhttp_execute(&parser, head.data(), head.size());
  state.reading = nullptr;
  if (result != HPE_PAUSED) {
    // Anything but the pause at the end of the head. The reason is one of llhttp's string literals.
    const char* reason = llhttp_get_error_reason(&parser);
    state.objection =
        result == HPE_OK ? std::string_view("the head does not end") : std::string_view(reason == nullptr ? "" : reason);
    return false;
  }
  state.objection = "it is read in two ways";
  // llhttp counts content_length down only in the body, which it has not seen.
  const bool framing = ((parser.flags & F_CHUNKED) != 0) == reading.chunked &&
                       ((parser.flags & F_CONTENT_LENGTH) != 0) == reading.length.has_value() &&
                       (!reading.length || parser.content_length == *reading.length);
  const bool version = parser.http_major == 1 && parser.http_minor == (reading.http_1_0 ? 0 : 1);
  // SECURITY: G7, every field was seen by both, at the same place.
  return state.complete && state.agrees && state.names == reading.headers->size() &&
         state.values == reading.headers->size() && framing && version;
}

bool LlhttpWitness::confirms_request(std::string_view head, const Reading& reading) {
  llhttp_init(&state_->parser, HTTP_REQUEST, &state_->settings);  // all lenient flags are off after this
  return confirms(head, reading);
}

bool LlhttpWitness::confirms_response(std::string_view head, const Reading& reading) {
  llhttp_init(&state_->parser, HTTP_RESPONSE, &state_->settings);
  return confirms(head, reading) && state_->parser.status_code == reading.status;
}

std::string_view LlhttpWitness::objection() const { return state_->objection; }

}  // namespace weir::proxy
