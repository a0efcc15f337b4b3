// Layouts of maps, for what writes a Document.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/document.h"
#include "policy/formatting/layout.h"
#include "policy/formatting/written.h"

namespace weir::policy {

// Builds one map.
struct Map {
  Layout node;

  explicit Map(bool spread = false) {
    node.kind = Layout::Kind::map;
    node.spread = spread;
  }
  void add(std::string_view key, Layout value) {
    value.key = quoted_if_needed(key);
    node.children.push_back(std::move(value));
  }
  void word(std::string_view key, std::string_view text) { add(key, scalar(quoted_if_needed(text, node.spread))); }
  void bare(std::string_view key, std::string text) { add(key, scalar(std::move(text))); }  // numbers, booleans
  template <class Values, class Text>
  void list(std::string_view key, const Values& values, Text&& text) {
    if (!values.empty()) add(key, list_of(values, text));
  }
  void words(std::string_view key, const std::vector<std::string>& values) {
    list(key, values, [](const std::string& value) { return quoted_if_needed(value); });
  }

  static Layout scalar(std::string text) {
    Layout node;
    node.text = std::move(text);
    return node;
  }
  template <class Values, class Text>
  static Layout list_of(const Values& values, Text&& text) {
    Layout node;
    node.kind = Layout::Kind::sequence;
    for (const auto& value : values) node.children.push_back(scalar(text(value)));
    return node;
  }
};

template <class T>
std::string quoted_written(const T& value) {
  return quoted_if_needed(written(value));
}

Layout layout_of(const Credential& credential);
Layout layout_of(const OAuthCapture& capture);

}  // namespace weir::policy
