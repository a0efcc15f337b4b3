// One event as one line for people.
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>

namespace weir::cli {

// A field as text that is safe to print, whatever it is in the record: empty when it is missing, JSON when it is no string.
std::string shown(const nlohmann::json& object, const char* key, std::size_t limit = 200);
// The same as it is stored, for comparing; empty when it is missing or no string.
std::string plain(const nlohmann::json& object, const char* key);
std::int64_t number(const nlohmann::json& object, const char* key);  // 0 when it is missing or no integer
std::string size_text(std::int64_t bytes);                           // "12.3 KiB"

// Whether this event tells of something that was refused.
bool is_refusal(const nlohmann::json& event);

// Makes the lines of one session, in its order: a response is shown with the request that it answers.
//   10:11:12.345 allow GET https://api.example.com/v1/things  [read things] +token
//   10:11:12.398       200 GET api.example.com/v1/things  12.3 KiB in, 310 B out, 52.7 ms
class EventLines {
 public:
  // `columns`: lines are made to fit, where they can be; 0 for as long as they are. With `colours`, ANSI sequences of ours.
  EventLines(std::size_t columns, bool colours) : columns_(columns), colours_(colours) {}

  // Remembers what later lines refer to; for each event, shown or not.
  void note(const nlohmann::json& event);
  std::string line(const nlohmann::json& event) const;

 private:
  struct Said;
  Said say(const std::string& type, const nlohmann::json& data) const;
  std::string fit(std::string text, std::size_t taken) const;

  std::size_t columns_;
  bool colours_;
  std::unordered_map<std::string, std::string> requests_;  // by their ids
  std::deque<std::string> order_;                          // oldest first; no more than kRemembered
};

}  // namespace weir::cli
