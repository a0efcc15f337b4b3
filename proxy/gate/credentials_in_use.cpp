#include "proxy/gate/credentials_in_use.h"

#include "base/text.h"

namespace weir::proxy {
namespace {

constexpr int kRounds = 4;  // a value may change while others are fetched

void add_line(std::vector<leaks::Needle>& needles, std::uint32_t id, std::string_view line) {
  if (line.size() >= leaks::Needles::kShortest) needles.push_back({id, line, true});
}

// The parts of a value that are secret by themselves.
void add_value(std::vector<leaks::Needle>& needles, std::uint32_t id, policy::Injection::Kind kind, std::string_view value) {
  if (kind == policy::Injection::Kind::aws_sigv4) {  // the id of the keys is none
    auto rest = value.substr(std::min(value.size(), value.find('\n')));
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const auto end = std::min(rest.size(), rest.find('\n'));
      add_line(needles, id, rest.substr(0, end));
      rest.remove_prefix(end);
    }
  } else if (kind == policy::Injection::Kind::client_certificate) {
    // Of a key in PEM form (RFC 7468) each line: one alone says whose it is.
    bool in_key = false;
    for (const auto line : split(value, '\n')) {
      if (line.starts_with("-----")) {
        in_key = line.find("BEGIN") != std::string_view::npos && line.find("PRIVATE KEY") != std::string_view::npos;
      } else if (in_key && line.size() >= 32) {
        add_line(needles, id, trim(line));
      }
    }
  } else {
    add_line(needles, id, value);
  }
}

}  // namespace

CredentialsInUse::CredentialsInUse(std::uint32_t generation, const policy::Document& document, std::vector<std::string> placeholders,
                                   KeeperLink& keeper)
    : generation_(generation), document_(document), placeholders_(std::move(placeholders)), keeper_(keeper),
      values_(document.credentials.size()), needles_(std::make_shared<const leaks::Needles>()) {
  placeholders_.resize(document.credentials.size());
}

io::Task<Result<void>> CredentialsInUse::prepare() {
  for (int round = 0; round < kRounds && !is_up_to_date(); ++round) {
    const std::uint64_t version = keeper_.secrets_version();
    for (std::uint32_t i = 0; i < values_.size(); ++i) {
      auto value = co_await keeper_.secret(generation_, i, Purpose::look_for);
      if (!value || *value == values_[i].now) continue;
      values_[i].before = std::exchange(values_[i].now, std::move(*value));
    }
    if (version != keeper_.secrets_version() && round + 1 < kRounds) continue;
    auto built = build();
    if (!built) co_return built;  // SECURITY: G4
    built_version_ = keeper_.secrets_version();
  }
  co_return Result<void>{};
}

Result<void> CredentialsInUse::build() {
  std::vector<leaks::Needle> needles;
  for (std::uint32_t i = 0; i < values_.size(); ++i) {
    const auto kind = document_.credentials[i].inject.kind;
    for (const auto& value : {values_[i].now, values_[i].before})
      if (value != nullptr) add_value(needles, i * 2, kind, value->reveal());
    if (!placeholders_[i].empty()) needles.push_back({i * 2 + 1, placeholders_[i], true});
  }
  auto made = leaks::Needles::make(needles);
  if (!made) return fail("leaks_unsearchable", made.error().message);
  needles_ = std::make_shared<const leaks::Needles>(std::move(*made));
  return {};
}

}  // namespace weir::proxy
