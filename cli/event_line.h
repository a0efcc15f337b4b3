// One event as one line for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace weir::cli {

// "10:11:12.345 deny  GET  https://api.example.com/v1 (no_rule) …". Everything that came from outside is made printable
// first. With `colours`, ANSI sequences of ours only.
std::string format_event(const nlohmann::json& event, bool colours);

// Whether this event tells of something that was refused.
bool is_refusal(const nlohmann::json& event);

}  // namespace weir::cli
