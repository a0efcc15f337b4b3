#include "proxy/wire.h"

namespace weir::proxy {
namespace {

void put_block(std::string& out, std::string_view block) {
  put(out, static_cast<std::uint64_t>(block.size()));
  out.append(block);
}

bool take_block(std::string_view& in, std::string_view& block) {
  std::uint64_t size = 0;
  if (!take(in, size) || in.size() < size) return false;
  block = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) put_block(out, text);
  return out;
}

bool split(std::string_view in, std::vector<std::string>& texts) {
  while (!in.empty()) {
    std::string_view block;
    if (!take_block(in, block)) return false;
    texts.emplace_back(block);
  }
  return true;
}

}  // namespace

std::string encode_config(const ProxyConfig& config) {
  std::string out;
  const std::string placeholders = joined(config.placeholders);
  for (const std::string_view block : {std::string_view(config.sandbox_id), std::string_view(config.policy_document),
                                       std::string_view(config.ca_certificate_pem), config.ca_key_der.reveal(),
                                       std::string_view(config.upstream_ca_pem), std::string_view(config.hosts_file), std::string_view(placeholders)})
    put_block(out, block);
  return out;
}

Result<ProxyConfig> decode_config(std::string_view bytes) {
  std::string_view block[7];
  for (auto& one : block)
    if (!take_block(bytes, one)) return fail("bad_configuration", "the proxy's configuration is cut short");
  if (!bytes.empty()) return fail("bad_configuration", "the proxy's configuration has bytes left over");
  ProxyConfig config;
  config.sandbox_id = block[0];
  config.policy_document = block[1];
  config.ca_certificate_pem = block[2];
  config.ca_key_der = Secret(block[3]);
  config.upstream_ca_pem = block[4];
  config.hosts_file = block[5];
  if (!split(block[6], config.placeholders)) return fail("bad_configuration", "the proxy's placeholders are cut short");
  return config;
}

std::string encode_policy(const PolicyBundle& bundle) {
  std::string out;
  put_block(out, bundle.policy_document);
  put_block(out, bundle.upstream_ca_pem);
  put_block(out, joined(bundle.placeholders));
  return out;
}

Result<PolicyBundle> decode_policy(std::string_view bytes) {
  std::string_view document;
  std::string_view pem;
  std::string_view placeholders;
  PolicyBundle bundle;
  if (!take_block(bytes, document) || !take_block(bytes, pem) || !take_block(bytes, placeholders) || !bytes.empty() ||
      !split(placeholders, bundle.placeholders))
    return fail("bad_configuration", "the policy came cut short or with bytes left over");
  bundle.policy_document = document;
  bundle.upstream_ca_pem = pem;
  return bundle;
}

void put_event(std::string& out, std::string_view type, std::string_view fields) {
  put(out, static_cast<std::uint8_t>(type.size()));
  out.append(type);
  put(out, static_cast<std::uint32_t>(fields.size()));
  out.append(fields);
}

bool take_event(std::string_view& in, std::string_view& type, std::string_view& fields) {
  std::uint8_t type_size = 0;
  if (!take(in, type_size) || in.size() < type_size) return false;
  type = in.substr(0, type_size);
  in.remove_prefix(type_size);
  std::uint32_t fields_size = 0;
  if (!take(in, fields_size) || in.size() < fields_size) return false;
  fields = in.substr(0, fields_size);
  in.remove_prefix(fields_size);
  return true;
}

}  // namespace weir::proxy
