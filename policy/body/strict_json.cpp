#include "policy/body/strict_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace weir::policy {

namespace {

using nlohmann::json;

std::string in_ticks(std::string_view key) { return '`' + printable(key, 60) + '`'; }

// An object or array that is open.
struct Open {
  bool is_object = false;
  JsonObject* kept = nullptr;        // where its members go; null: they are not kept
  const JsonShape* shape = nullptr;  // which of them; null: none
  std::vector<std::string> keys{};   // of an object, so far
};

// Called by nlohmann's parser. A callback that gives false ends the parse.
class Reader {
 public:
  explicit Reader(const JsonShape& shape) : shape_(shape) {}

  JsonMessages messages;
  std::string problem;

  bool null() { return scalar(JsonKind::null); }
  bool boolean(bool) { return scalar(JsonKind::boolean); }
  bool number_integer(json::number_integer_t) { return scalar(JsonKind::number); }
  bool number_unsigned(json::number_unsigned_t) { return scalar(JsonKind::number); }
  bool number_float(json::number_float_t, const std::string&) { return scalar(JsonKind::number); }
  bool binary(json::binary_t&) { return refuse("is not JSON"); }

  bool string(std::string& value) {
    auto* const slot = slot_;
    if (!scalar(JsonKind::string)) return false;
    if (slot == nullptr) return true;
    if (value.find('\0') != std::string::npos) return refuse("the value of " + in_ticks(slot->key) + " holds a NUL");
    slot->text = std::move(value);
    return true;
  }

  bool start_object(std::size_t) {
    Open open{.is_object = true};
    if (is_message()) {
      if (messages.objects.size() == kLargestBatch) return refuse("the batch is too long");
      open.kept = &messages.objects.emplace_back();
      open.shape = &shape_;
    } else if (slot_ != nullptr) {
      slot_->kind = JsonKind::object;
      open.kept = &slot_->object;
      open.shape = inside_;
    }
    return push(std::move(open));
  }

  bool start_array(std::size_t) {
    if (open_.empty())
      messages.batch = true;
    else if (open_.size() == 1 && messages.batch)
      return refuse("the batch holds something that is not an object");
    if (slot_ != nullptr) slot_->kind = JsonKind::array;
    return push({});
  }

  bool key(std::string& key) {
    if (key.find('\0') != std::string::npos) return refuse("a key holds a NUL");
    auto& open = open_.back();
    slot_ = nullptr;
    inside_ = nullptr;
    if (open.kept != nullptr && open.shape != nullptr) note(key, open);
    open.keys.push_back(std::move(key));
    return true;
  }

  bool end_object() {
    // Sorted once at the end: no hostile choice of keys makes it slow.
    auto& keys = open_.back().keys;
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) return refuse("the key " + in_ticks(*twice) + " stands twice");
    return pop();
  }

  bool end_array() { return pop(); }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    constexpr int kNumberOverflow = 406;
    if (error.id == kNumberOverflow) return refuse("a number is too large");
    return refuse("it is not JSON from byte " + std::to_string(position) + " on");
  }

 private:
  // Whether the value that begins now is one of the messages.
  bool is_message() const { return open_.empty() || (open_.size() == 1 && messages.batch); }

  bool scalar(JsonKind kind) {
    if (is_message())
      return refuse(open_.empty() ? "it is neither an object nor an array"
                                  : "the batch holds something that is not an object");
    if (slot_ != nullptr) slot_->kind = kind;
    slot_ = nullptr;
    return true;
  }

  // Decides what becomes of the member whose key this is.
  void note(const std::string& key, Open& open) {
    for (const auto& wanted : open.shape->keys) {
      if (key == wanted.key) {
        // A second one of the same name is refused when the object ends; until then it takes no room here.
        if (open.kept->find(key) != nullptr) return;
        slot_ = &open.kept->members.emplace_back();
        slot_->key = key;
        inside_ = wanted.inside;
        return;
      }
      if (open.kept->lookalike.empty() && looks_like(key, wanted.key)) open.kept->lookalike = key;
    }
    if (!open.kept->has_other) {
      open.kept->has_other = true;
      open.kept->other = key;
    }
  }

  bool push(Open open) {
    if (open_.size() == static_cast<std::size_t>(kDeepest)) return refuse("it is nested too deeply");
    open_.push_back(std::move(open));
    slot_ = nullptr;
    inside_ = nullptr;
    return true;
  }

  bool pop() {
    open_.pop_back();
    slot_ = nullptr;
    inside_ = nullptr;
    return true;
  }

  bool refuse(std::string why) {
    problem = std::move(why);
    return false;
  }

  const JsonShape& shape_;
  std::vector<Open> open_;
  JsonMember* slot_ = nullptr;         // where the next value goes; null: nowhere
  const JsonShape* inside_ = nullptr;  // what is kept of it, if it is an object
};

}  // namespace

const JsonMember* JsonObject::find(std::string_view key) const {
  for (const auto& member : members)
    if (member.key == key) return &member;
  return nullptr;
}

bool looks_like(std::string_view key, std::string_view wanted) {
  for (const char expected : wanted) {
    if (key.empty()) return false;
    std::size_t size = 1;
    const char lower = static_cast<char>(expected | 0x20);
    const bool is_letter = lower >= 'a' && lower <= 'z';
    const bool same = key.front() == expected || (is_letter && static_cast<char>(key.front() | 0x20) == lower);
    if (!same) {
      if (lower == 's' && key.starts_with("\u017f"))
        size = std::string_view("\u017f").size();
      else if (lower == 'k' && key.starts_with("\u212a"))
        size = std::string_view("\u212a").size();
      else if (lower == 'i' && (key.starts_with("\u0130") || key.starts_with("\u0131")))
        size = std::string_view("\u0130").size();
      else
        return false;
    }
    key.remove_prefix(size);
  }
  return key.empty();
}

Result<JsonMessages> read_strict_json(std::string_view text, const JsonShape& shape) {
  constexpr auto kCode = "body_unreadable";
  // nlohmann's lexer passes over a byte order mark and takes NUL for the end.
  if (text.starts_with("\xef\xbb\xbf")) return fail(kCode, "it begins with a byte order mark");
  if (text.find('\0') != std::string_view::npos) return fail(kCode, "it holds a NUL");
  if (valid_utf8_prefix(text) != text.size()) return fail(kCode, "it is not valid UTF-8");
  Reader reader(shape);
  if (!json::sax_parse(text.begin(), text.end(), &reader)) return fail(kCode, reader.problem);
  if (reader.messages.objects.empty()) return fail(kCode, "the batch is empty");
  return std::move(reader.messages);
}

}  // namespace weir::policy
