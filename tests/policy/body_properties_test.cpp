// Random valid documents, written in many ways and read back. Seeds are fixed, so a failure can be repeated.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "policy/body.h"

namespace weir::policy {
namespace {

using State = Reading::State;

// Writes a document and knows what its operations come to.
class Writer {
 public:
  explicit Writer(unsigned seed) : engine_(seed) {}

  std::string text;
  std::vector<Operation> expected;

  void document() {
    fragments_ = below(4);
    for (std::size_t i = 0; i < fragments_; ++i)
      if (one_in(2)) fragment(i);
    const auto operations = 1 + below(3);
    for (std::size_t i = 0; i < operations; ++i) operation();
    for (std::size_t i = 0; i < fragments_; ++i)
      if (written_.count(i) == 0) fragment(i);
    gap();
    for (const auto& [kind, root] : operations_)
      for (const auto& selection : root) expand(kind, selection);
  }

 private:
  using Root = std::vector<std::pair<bool, std::string>>;  // whether it is a spread, and its name or the fragment's number

  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string one_of(std::initializer_list<const char*> choices) { return *(choices.begin() + below(choices.size())); }

  void gap() {
    while (one_in(3)) text += one_of({" ", "\n", "\r\n", ",", "\t", "# } mutation { x }\n", "#\r\n", "\xef\xbb\xbf"});
  }
  void put(std::string_view token) {
    gap();
    text += token;
  }
  void word(std::string_view token) {  // a name or number, kept from its neighbours
    text += one_of({" ", ",", "\n"});
    put(token);
    text += ' ';
  }
  std::string some_name() {
    return one_of({"a", "b", "_c", "query", "mutation", "fragment", "type", "null", "D9", "__typename"});
  }

  void value(int depth, bool constant) {
    switch (below(depth > 3 ? 6 : 8)) {
      case 0:
        return word(one_of({"0", "-1", "12.5e-3", "1E9"}));
      case 1:
        return put(one_of({R"("")", R"("} { \" \\ A ü")", R"("#")", R"("\/\b\t")"}) + " ");
      case 2:
        return put(one_of({"\"\"\"\"\"\"", "\"\"\" \" \"\" } #\n \\\"\"\" \"\"\"", "\"\"\"\\\"\"\"\"\"\""}) + " ");
      case 3:
        return word(some_name());
      case 4:
      case 5:
        if (constant) return word("true");
        put("$");
        return word(some_name());
      case 6:
        put("[");
        while (one_in(2)) value(depth + 1, constant);
        return put("]");
      default:
        put("{");
        while (one_in(2)) word(some_name()), put(":"), value(depth + 1, constant);
        return put("}");
    }
  }
  void arguments(bool constant) {
    if (!one_in(4)) return;
    put("(");
    do {
      word(some_name());
      put(":");
      value(1, constant);
    } while (one_in(2));
    put(")");
  }
  void directives(bool constant) {
    while (one_in(6)) {
      put("@");
      word(some_name());
      arguments(constant);
    }
  }

  // Fragments spread only those with a higher number.
  Root selections(int depth, std::size_t first_fragment) {
    Root root;
    put("{");
    do {
      if (first_fragment < fragments_ && one_in(4)) {
        const auto fragment = first_fragment + below(fragments_ - first_fragment);
        put("...");
        word("F" + std::to_string(fragment));
        directives(false);
        root.emplace_back(true, std::to_string(fragment));
      } else if (depth < 5 && one_in(6)) {
        put("...");
        if (one_in(2)) word("on"), word(some_name());
        directives(false);
        const auto inner = selections(depth + 1, first_fragment);
        root.insert(root.end(), inner.begin(), inner.end());
      } else {
        if (one_in(4)) word(some_name()), put(":");
        const auto name = some_name();
        word(name);
        arguments(false);
        directives(false);
        if (depth < 5 && one_in(4)) selections(depth + 1, first_fragment);
        root.emplace_back(false, name);
      }
    } while (one_in(2));
    put("}");
    return root;
  }
  void type(int depth) {
    if (depth < 3 && one_in(3))
      put("["), type(depth + 1), put("]");
    else
      word(some_name());
    if (one_in(2)) put("!");
  }
  void operation() {
    if (one_in(4)) {
      operations_.emplace_back("query", selections(1, 0));
      return;
    }
    const auto kind = one_of({"query", "mutation", "subscription"});
    word(kind);
    if (one_in(2)) word(some_name());
    if (one_in(3)) {
      put("(");
      do {
        put("$");
        word(some_name());
        put(":");
        type(1);
        if (one_in(3)) put("="), value(1, true);
        directives(true);
      } while (one_in(2));
      put(")");
    }
    directives(false);
    operations_.emplace_back(kind, selections(1, 0));
  }
  void fragment(std::size_t number) {
    word("fragment");
    word("F" + std::to_string(number));
    word("on");
    word(some_name());
    directives(false);
    written_[number] = selections(1, number + 1);
  }
  void expand(const std::string& kind, const std::pair<bool, std::string>& selection) {
    if (selection.first) {
      for (const auto& inner : written_.at(std::stoul(selection.second))) expand(kind, inner);
      return;
    }
    const Operation operation{kind, selection.second};
    if (std::find(expected.begin(), expected.end(), operation) == expected.end()) expected.push_back(operation);
  }

  std::mt19937 engine_;
  std::size_t fragments_ = 0;
  std::map<std::size_t, Root> written_;
  std::vector<std::pair<std::string, Root>> operations_;
};

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += '+';
    } else if (c == '{' || (c >= 'a' && c <= 'z')) {
      out += c;
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

TEST(GraphqlProperties, ReadsEveryValidDocumentHoweverItIsWrittenAndSent) {
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    Writer writer(seed);
    writer.document();
    const auto reading = read_graphql("POST", "", "application/graphql", "", writer.text);
    ASSERT_EQ(reading.problem, "") << seed << '\n' << writer.text;
    ASSERT_EQ(reading.operations, writer.expected) << seed << '\n' << writer.text;
    const nlohmann::json body{{"query", writer.text}};
    ASSERT_EQ(read_graphql("POST", "", "application/json", "", body.dump()), reading) << seed;
    ASSERT_EQ(read_graphql("POST", "", "application/json", "", body.dump(1, ' ', true)), reading) << seed;
    ASSERT_EQ(read_graphql("GET", "query=" + percent_encoded(writer.text), "", "", ""), reading) << seed;
  }
}

TEST(GraphqlProperties, ReadsNoDocumentThatWasCutShort) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    Writer writer(seed);
    writer.document();
    const auto whole = read_graphql("POST", "", "application/graphql", "", writer.text);
    for (std::size_t size = 0; size < writer.text.size(); ++size) {
      const auto reading = read_graphql("POST", "", "application/graphql", "", writer.text.substr(0, size));
      // Between two definitions it may be a document still, but never one that asks for something else.
      if (reading.state != State::read) continue;
      for (const auto& operation : reading.operations)
        ASSERT_NE(std::find(whole.operations.begin(), whole.operations.end(), operation), whole.operations.end());
    }
  }
}

TEST(JsonrpcProperties, ReadsEveryBatchBack) {
  std::mt19937 engine(1);
  const auto below = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine); };
  const std::string names[] = {"a", "eth_call", "tools/call", "notifications/x", "ü\"\\\n", "METHOD", "name"};
  for (int round = 0; round < 5'000; ++round) {
    nlohmann::json batch = nlohmann::json::array();
    std::vector<Operation> expected;
    for (auto count = 1 + below(5); count > 0; --count) {
      if (below(4) == 0) {
        batch.push_back({{"jsonrpc", "2.0"}, {"id", 1}, {below(2) == 0 ? "result" : "error", {{"method", "x"}}}});
        expected.push_back({});
        continue;
      }
      const auto& method = names[below(std::size(names))];
      const auto& name = names[below(std::size(names))];
      batch.push_back({{"method", method}, {"params", {{"name", name}, {"arguments", {{"Params", {name, 1.5, nullptr}}}}}}});
      expected.push_back({method, method == "tools/call" ? name : ""});
    }
    const auto text =
        (batch.size() == 1 && below(2) == 0 ? batch[0] : batch).dump(static_cast<int>(below(3)) - 1, ' ', below(2) == 0);
    const auto reading = read_jsonrpc("application/json", "", text);
    ASSERT_EQ(reading.problem, "") << text;
    ASSERT_EQ(reading.operations, expected) << text;
  }
}

TEST(QueryProperties, ReadsBackWhatWasEncoded) {
  std::mt19937 engine(1);
  const auto below = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine); };
  const std::string pieces[] = {"a", "=", "&", ";", "+", "%", "%41", " ", "ü", "😀", "#", "\n", "/"};
  for (int round = 0; round < 5'000; ++round) {
    QueryParameters expected;
    std::string query;
    for (auto count = below(5); count > 0; --count) {
      std::pair<std::string, std::string> parameter;
      for (auto size = below(5); size > 0; --size) parameter.first += pieces[below(std::size(pieces))];
      for (auto size = below(5); size > 0; --size) parameter.second += pieces[below(std::size(pieces))];
      query += (query.empty() ? "" : "&") + percent_encoded(parameter.first) + "=" + percent_encoded(parameter.second);
      expected.parameters.push_back(std::move(parameter));
    }
    ASSERT_EQ(parse_query(query), expected) << query;
  }
}

}  // namespace
}  // namespace weir::policy
