// The canonical forms that a signature covers ("Create a canonical request" in AWS's general reference). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/credentials/draft_request.h"
#include "proxy/credentials/wiped_text.h"

namespace weir::proxy::sigv4 {

bool is_unreserved(char c);  // RFC 3986 §2.3
bool is_token(char c);       // tchar of RFC 9110 §5.6.2

// Every octet but the unreserved ones as %XX in upper case (AWS's UriEncode).
void append_encoded(WipedText& out, std::string_view octets);

// One of a query's parameters, its name and value decoded (RFC 3986, and '+' as a space) and encoded anew as above.
struct Parameter {
  WipedText name, value;
  bool has_value = true;  // there is a '=', though nothing may stand behind it
};

// In their order; empty ones ("a&&b") are left out.
std::vector<Parameter> parse_query(std::string_view query);
void append_query(WipedText& out, const std::vector<Parameter>& parameters);            // as it goes out
void append_canonical_query(WipedText& out, const std::vector<Parameter>& parameters);  // sorted by name, then by value

std::string decoded(std::string_view encoded);  // of what is no secret

// Services whose paths are signed as they are: encoded once and not normalised.
bool is_s3(std::string_view service);
// How a path goes out, and what of it is signed. An encoded slash stays one.
WipedText wire_path(std::string_view path, bool s3);
void append_canonical_path(WipedText& out, std::string_view wire, bool s3);

// The names to sign, sorted: of `wanted` those that the draft has, host, and each x-amz-*. What is no name is not written into a head either.
std::vector<std::string> names_to_sign(const DraftRequest& draft, std::string_view wanted);
std::string joined(const std::vector<std::string>& names);
// "name:value\n" for each: values of one name joined by commas, without blanks at their ends and with one space for each run of blanks.
void append_canonical_headers(WipedText& out, const DraftRequest& draft, const std::vector<std::string>& names);
void append_folded(WipedText& out, std::string_view value);

}  // namespace weir::proxy::sigv4
