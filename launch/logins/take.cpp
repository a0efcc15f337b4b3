// Cuts the secrets out of a login's file.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/secret_json.h"
#include "base/text.h"
#include "launch/logins/form.h"
#include "launch/logins/scan.h"
#include "launch/logins/secret_text.h"
#include "launch/logins/templates.h"

namespace weir::launch {
namespace {

using Kind = FoundValue::Kind;

bool is_text(const FoundValue& value) { return value.kind == Kind::text || value.kind == Kind::json || value.kind == Kind::percent; }

// What the `*` of the secret's path met; nothing when the value stands elsewhere.
std::optional<std::vector<std::string>> met(const LoginSecret& secret, const FoundValue& value) {
  if (secret.path.size() != value.path.size()) return std::nullopt;
  std::vector<std::string> captures;
  for (std::size_t i = 0; i < secret.path.size(); ++i) {
    if (secret.path[i] == "*")
      captures.push_back(value.path[i]);
    else if (secret.path[i] != value.path[i])
      return std::nullopt;
  }
  return captures;
}

// SECURITY: G2. A name that secrets bear: files change with their tools, and what a profile does not know yet must not get inside.
bool sounds_secret(const FoundValue& value) {
  if (value.path.empty()) return false;
  std::string name = to_lower(value.path.back());
  std::erase_if(name, [](char c) { return c == '_' || c == '-' || c == '.' || c == ' '; });
  static constexpr std::string_view kEnds[] = {"token",     "tokens", "passwd", "passphrase", "privatekey", "apikey", "accesskey",
                                               "accesskeyid", "secretkey", "authkey", "cookie", "jwt",        "assertion", "auth", "credential", "pat"};
  return value.kind == Kind::percent || name == "key" || name.find("secret") != std::string::npos || name.find("password") != std::string::npos ||
         std::ranges::any_of(kEnds, [&](std::string_view end) { return name.ends_with(end); });
}

std::string where(const FoundValue& value) {
  std::string out;
  for (const auto& name : value.path) out += (out.empty() ? "" : ".") + name;
  return printable(out, 200);
}

std::string shape_for(const LoginCredential& credential, std::string_view value) {
  for (const auto& shape : credential.shapes) {
    if (shape.starts_with("{claims}") && value.starts_with("eyJ") && std::ranges::count(value, '.') == 2) return shape;
    const auto beginning = std::string_view(shape).substr(0, shape.find('{'));
    if (!beginning.empty() && value.starts_with(beginning)) return shape;
  }
  return credential.shapes.empty() ? std::string() : credential.shapes.back();
}

class Taking {
 public:
  Taking(const Login& login, const LoginFile& file, std::string_view text, TakenLogin& taken)
      : login_(login), file_(file), text_(text), taken_(taken) {}

  Result<void> run() {
    if (text_.size() > kMaxLogin) return fail("login_unreadable", "it is larger than 1 MiB");
    if (valid_utf8_prefix(text_) != text_.size()) return fail("login_unreadable", "it is not text in UTF-8");
    if (text_.find("{placeholder:") != std::string_view::npos || text_.find("{made-up:") != std::string_view::npos)
      return fail("login_unreadable", "it is not a tool's own file: it has weir's marks in it");
    const auto found = scan(file_.format, text_);
    if (!found) return std::unexpected(found.error());
    if (auto suitable = check_only(*found); !suitable) return suitable;
    for (const auto& value : *found) {
      if (value.from < at_) continue;  // within something that is left out
      if (auto done = take(value); !done) return done;
    }
    keep_until(text_.size());
    commit();
    return {};
  }

 private:
  Result<void> check_only(const std::vector<FoundValue>& found) const {
    for (const auto& [name, expected] : file_.only)
      for (const auto& value : found)
        if (value.path == std::vector{name} && text_.substr(value.from, value.size) != expected)
          return fail("login_unsuitable", file_.otherwise);
    return {};
  }

  Result<void> take(const FoundValue& value) {
    const bool kept = file_.keep.empty() || value.path.empty() || std::ranges::find(file_.keep, value.path.front()) != file_.keep.end();
    if (!kept) return leave_out(value);
    if (!is_text(value) || value.size == 0) return {};
    for (const auto& secret : file_.secrets)
      if (auto captures = met(secret, value)) return cut(secret, value, std::move(*captures));
    const auto text = text_.substr(value.from, value.size);
    if (sounds_secret(value) && !is_reference(value) && text != "true" && text != "false") return leave_out(value);
    return {};
  }

  // ${NAME}: npm takes it from the environment.
  bool is_reference(const FoundValue& value) const {
    const auto text = text_.substr(value.from, value.size);
    return file_.format == LoginFormat::npmrc && text.starts_with("${") && text.find('}') == text.size() - 1;
  }

  Result<void> cut(const LoginSecret& secret, const FoundValue& value, std::vector<std::string> captures) {
    if (is_reference(value)) return {};
    auto bytes = decoded(text_, value);
    Mark mark;
    std::string prefix;
    if (bytes && secret.coding != LoginSecret::Coding::text) {
      bytes = decoded_base64(bytes->reveal());
      mark.kind = Mark::Kind::encoded;
      if (bytes && secret.coding == LoginSecret::Coding::basic) {
        const auto colon = bytes->reveal().find(':');
        if (colon == std::string_view::npos) return bad_value(value);
        prefix = base64_encode(bytes->reveal().substr(0, colon + 1));
        bytes = Secret(bytes->reveal().substr(colon + 1));
        if (bytes->empty()) return {};  // the user's name alone
      }
      mark.detail = prefix;
    }
    if (!bytes || bytes->empty() || std::ranges::any_of(bytes->reveal(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
      return bad_value(value);
    const auto& credential = credential_for(secret, std::move(captures), bytes->reveal());
    mark.name = credential.name;
    if (!secret.field.empty()) {
      mark.kind = Mark::Kind::made_up;
      mark.detail = secret.field;
    }
    const std::string name = credential.name;
    values_[name].emplace_back(secret.field, std::move(*bytes));
    if (secret.field.empty() && values_[name].size() > 1)
      return fail("login_unreadable", where(value) + " is a second value of the same credential");
    replace(value, to_text(mark));
    return {};
  }

  static std::unexpected<Error> bad_value(const FoundValue& value) {
    return fail("login_unreadable", "the value of " + where(value) + " is not in the form that it should have");
  }

  Result<void> leave_out(const FoundValue& value) {
    if (value.kind == Kind::other || (is_text(value) && value.size == 0)) return {};
    if (value.kind == Kind::object || value.kind == Kind::array) {
      if (value.size <= 2) return {};
      replace(value, value.kind == Kind::object ? "{}" : "[]");
    } else {
      replace(value, "");
    }
    left_out_.push_back(where(value));
    return {};
  }

  void keep_until(std::size_t end) {
    form_.append(text_.substr(at_, end - at_));
    at_ = end;
  }
  void replace(const FoundValue& value, std::string_view with) {
    keep_until(value.from);
    form_.append(with);
    at_ = value.from + value.size;
  }

  const LoginForm::Credential& credential_for(const LoginSecret& secret, std::vector<std::string> captures, std::string_view value) {
    auto& all = credentials_;
    const auto same = std::ranges::find_if(all, [&](const LoginForm::Credential& one) {
      return one.definition == secret.credential && one.captures == captures;
    });
    if (same != all.end()) return *same;
    const auto& definition = *login_.credential(secret.credential);
    all.push_back({definition.name, unique(expand_name(definition.name, captures), 60, &LoginForm::Credential::name),
                   unique(expand_name(definition.entry, captures), 120, &LoginForm::Credential::entry), shape_for(definition, value),
                   std::move(captures)});
    return all.back();
  }

  std::string unique(std::string name, std::size_t longest, std::string LoginForm::Credential::* member) const {
    if (name.size() > longest) name.resize(longest);
    const auto taken = [&](const std::string& one) {
      const auto same = [&](const LoginForm::Credential& credential) { return credential.*member == one; };
      if (one.ends_with("/login")) return true;  // where the form goes
      return std::ranges::any_of(credentials_, same) || std::ranges::any_of(taken_.form.credentials, same);
    };
    std::string candidate = name;
    for (int n = 2; taken(candidate); ++n) candidate = fmt::format("{}-{}", name, n);
    return candidate;
  }

  // One JSON object of all fields, as vault/aws_keys.h reads it.
  static Secret joined(const std::vector<std::pair<std::string, Secret>>& fields) {
    std::size_t size = 2;
    for (const auto& [field, value] : fields) size += field.size() + 6 * value.size() + 8;
    Secret out = Secret::of_size(size);
    std::size_t at = 0;
    const auto put = [&](std::string_view text) { at += text.copy(out.data() + at, text.size()); };
    for (const auto& [field, value] : fields) {
      put(at == 0 ? "{\"" : ",\"");
      put(field);
      put("\":");
      put(quoted_json(value.reveal()).reveal());
    }
    put("}");
    out.shrink(at);
    return out;
  }

  void commit() {
    for (auto& credential : credentials_) {
      auto& values = values_[credential.name];
      taken_.secrets.emplace_back(credential.entry, values.front().first.empty() ? std::move(values.front().second) : joined(values));
      taken_.form.credentials.push_back(std::move(credential));
    }
    taken_.form.files.push_back({file_.path, std::move(form_)});
    taken_.left_out.insert(taken_.left_out.end(), left_out_.begin(), left_out_.end());
  }

  const Login& login_;
  const LoginFile& file_;
  std::string_view text_;
  TakenLogin& taken_;
  std::string form_;
  std::size_t at_ = 0;  // in text_: up to here it is in form_
  std::vector<LoginForm::Credential> credentials_;
  std::map<std::string, std::vector<std::pair<std::string, Secret>>> values_;  // by credential: field and value
  std::vector<std::string> left_out_;
};

}  // namespace

Result<void> take_login(const Login& login, const LoginFile& file, std::string_view text, TakenLogin& taken) {
  return Taking(login, file, text, taken).run();
}

}  // namespace weir::launch
