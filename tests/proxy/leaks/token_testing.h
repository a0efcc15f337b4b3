// Tokens as the services would make them.
#pragma once

#include <zlib.h>

#include <string>
#include <vector>

#include "leaks_testing.h"
#include "proxy/leaks/token_patterns.h"

namespace weir::proxy::leaks::testing {

inline std::string with_crc32(std::string body) {
  auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  std::string digits;
  for (int i = 0; i < 6; ++i, sum /= 62) digits.insert(digits.begin(), kBase62[sum % 62]);
  return body + digits;
}

struct Token {
  std::string kind, text;
  std::string front = {}, back = {};  // what must stand around it
};

inline std::vector<Token> tokens_of_all_kinds(Chance& chance) {
  const auto a = [&](std::size_t size) { return chance.text(size, kBase62); };
  const auto w = [&](std::size_t size) { return chance.text(size, kUrlSafe); };
  const auto h = [&](std::size_t size) { return chance.text(size, kHex); };
  const auto d = [&](std::size_t size) { return chance.text(size, kDigits); };
  const auto b = [&](std::size_t size) { return chance.text(size, kBase64); };
  const auto u = [&](std::size_t size) { return chance.text(size, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"); };
  const auto id = [&](std::size_t size) { return chance.text(size, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"); };
  std::vector<Token> all{
      {"aws-secret-key", b(40), "aws_secret_access_key = "},
      {"aws-secret-key", b(40), "\"SecretAccessKey\": \"", "\""},
      {"aws-secret-key", b(40), "AWS_SECRET_ACCESS_KEY="},
      {"aws-secret-key", b(40), "<SecretAccessKey>", "</SecretAccessKey>"},
      {"aws-secret-key", b(40), "AKIA" + id(16) + ","},
      {"aws-secret-key", b(40), "ASIA" + id(16) + "\n"},
      {"aws-secret-key", b(40), "\"AccessKeyId\": \"AKIA" + id(16) + "\", \"SecretAccessKey\": \"", "\""},
      {"github-token", "ghp_" + with_crc32(a(30))},
      {"github-token", "gho_" + with_crc32(a(30))},
      {"github-token", "ghs_" + with_crc32(a(30))},
      {"github-token", "ghu_" + with_crc32(a(30))},
      {"github-token", "ghr_" + a(76)},
      {"github-fine-grained-token", "github_pat_" + a(22) + "_" + a(59)},
      {"gitlab-token", "glpat-" + w(20)},
      {"slack-token", "xoxb-" + d(12) + "-" + d(13) + "-" + a(24)},
      {"slack-token", "xoxp-" + d(11) + "-" + d(11) + "-" + d(12) + "-" + h(32)},
      {"slack-token", "xapp-1-A" + u(10) + "-" + d(13) + "-" + h(64)},
      {"slack-webhook", "hooks.slack.com/services/T" + u(10) + "/B" + u(10) + "/" + a(24), "https://"},
      {"discord-webhook", "discord.com/api/webhooks/" + d(19) + "/" + w(68), "https://"},
      {"stripe-key", "sk_live_" + a(24)},
      {"stripe-key", "sk_live_51" + a(97)},
      {"stripe-key", "rk_live_" + a(99)},
      {"openai-key", "sk-" + a(20) + "T3BlbkFJ" + a(20)},
      {"openai-key", "sk-proj-" + w(74) + "T3BlbkFJ" + w(74)},
      {"openai-key", "sk-svcacct-" + w(74) + "T3BlbkFJ" + w(74)},
      {"anthropic-key", "sk-ant-api03-" + w(93) + "AA"},
      {"anthropic-key", "sk-ant-admin01-" + w(93) + "AA"},
      {"anthropic-oauth-token", "sk-ant-oat01-" + w(93) + "AA"},
      {"google-api-key", "AIza" + w(35)},
      {"google-oauth-token", "ya29.a0" + w(160)},
      {"google-client-secret", "GOCSPX-" + w(28)},
      {"npm-token", "npm_" + with_crc32(a(30))},
      {"pypi-token", "pypi-AgEIcHlwaS5vcmcCJ" + w(130)},
      {"age-key", "AGE-SECRET-KEY-1" + chance.text(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")},
      {"huggingface-token", "hf_" + a(34)},
      {"digitalocean-token", "dop_v1_" + h(64)},
      {"sendgrid-key", "SG." + w(22) + "." + w(43)},
      {"azure-storage-key", "AccountKey=" + b(86) + "==", "DefaultEndpointsProtocol=https;AccountName=name;", ";EndpointSuffix=core.example"},
      {"telegram-bot-token", d(10) + ":AA" + w(33)},
      {"telegram-bot-token", d(9) + ":AA" + w(33), "https://telegram.example/bot", "/getMe"},
      {"discord-bot-token", "MT" + a(24) + "." + w(6) + "." + w(38), "DISCORD_TOKEN="},
      {"twilio-key", "SK" + h(32), "TWILIO_API_KEY="},
      {"mailgun-key", "key-" + h(32), "mailgun: "},
      {"docker-token", "dckr_pat_" + w(27)},
      {"shopify-token", "shpat_" + h(32)},
      {"databricks-token", "dapi" + h(32)},
      {"hashicorp-vault-token", "hvs." + a(24)},
      {"hashicorp-vault-token", "hvs.CAESI" + w(90)},
      {"terraform-token", a(14) + ".atlasv1." + w(67)},
      {"grafana-token", "glsa_" + a(32) + "_" + h(8)},
      {"openrouter-key", "sk-or-v1-" + h(64)},
      {"groq-key", "gsk_" + a(52)},
      {"replicate-token", "r8_" + a(37)},
      {"tailscale-key", "tskey-auth-" + a(12) + "CNTRL-" + a(32)},
      {"linear-key", "lin_api_" + a(40)},
      {"private-key", "-----BEGIN PRIVATE KEY-----\n" + b(64) + "\n" + b(64), "", "\n-----END PRIVATE KEY-----\n"},
      {"private-key", "-----BEGIN RSA PRIVATE KEY-----\\n" + b(64) + "\\n" + b(64), "", "\\n-----END RSA PRIVATE KEY-----\\n"},
      {"private-key", "-----BEGIN OPENSSH PRIVATE KEY-----\r\n" + b(70), "", "\r\n-----END OPENSSH PRIVATE KEY-----"},
      {"private-key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" + b(64), "", "\n"},
      {"private-key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC," + u(32) + "\n\n" + b(64), "", "\n"},
      {"private-key", "-----BEGIN PRIVATE KEY-----\\n" + b(64) + "\\n", "\"private_key\": \"", ""},
  };
  const std::string header = url_safe(base64_encode("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"" + a(9) + "\"}"));
  const std::string claims = url_safe(base64_encode("{\"sub\":\"" + a(21) + "\",\"iat\":17" + d(8) + "}"));
  all.push_back({"jwt", header.substr(0, header.find('=')) + "." + claims.substr(0, claims.find('=')) + "." + w(86)});
  return all;
}

inline std::vector<std::string> kinds_in(std::string_view bytes) {
  std::vector<std::string> kinds;
  find_tokens(bytes, [&](const TokenHit& hit) {
    kinds.emplace_back(hit.kind);
    return true;
  });
  return kinds;
}

}  // namespace weir::proxy::leaks::testing
