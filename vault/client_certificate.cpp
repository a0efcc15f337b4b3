#include "vault/client_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/secret_json.h"
#include "base/time.h"
#include "vault/secret_text.h"

namespace weir::vault {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* each) const {
    Free(each);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bio reader(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

int no_passphrase(char*, int, int, void*) { return -1; }

struct Block {
  std::string_view label, text;  // text: with its boundaries
};

// The blocks of a PEM text; what stands between them is no matter (RFC 7468 §2). `whole`: each has its end.
std::vector<Block> blocks_of(std::string_view text, bool& whole) {
  static constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";
  std::vector<Block> blocks;
  whole = true;
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at)) {
    const auto label_end = text.find(kDashes, at + kBegin.size());
    if (label_end == std::string_view::npos) break;
    const auto label = text.substr(at + kBegin.size(), label_end - at - kBegin.size());
    const auto end = text.find(std::string(kEnd) + std::string(label) + std::string(kDashes), label_end);
    if (end == std::string_view::npos) {
      whole = false;
      return blocks;
    }
    const auto stop = end + kEnd.size() + label.size() + kDashes.size();
    blocks.push_back({label, text.substr(at, stop - at)});
    at = stop;
  }
  return blocks;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

struct Contents {
  std::vector<Certificate> certificates;
  Key key;
};

Result<Contents> read(std::string_view text, const std::string& what) {
  bool whole = false;
  Contents contents;
  const auto blocks = blocks_of(text, whole);
  if (!whole) return fail("credential_invalid", what + " has a PEM block without an end; it was cut off");
  for (const auto& [label, block] : blocks) {
    if (label == "CERTIFICATE" || label == "TRUSTED CERTIFICATE" || label == "X509 CERTIFICATE") {
      Certificate certificate(PEM_read_bio_X509(reader(block).get(), nullptr, nullptr, nullptr));
      if (certificate == nullptr)
        return fail("credential_invalid", what + " has a certificate that cannot be read (number " +
                                              std::to_string(contents.certificates.size() + 1) + ")");
      contents.certificates.push_back(std::move(certificate));
    } else if (label.ends_with("PRIVATE KEY")) {
      if (label.starts_with("ENCRYPTED") || block.find("ENCRYPTED") != std::string_view::npos)
        return fail("credential_invalid", what + " has a private key with a passphrase, which nobody could type; take it off: "
                                                 "openssl pkey -in KEY -out KEY-WITHOUT");
      if (contents.key != nullptr) return fail("credential_invalid", what + " has more than one private key");
      contents.key.reset(PEM_read_bio_PrivateKey(reader(block).get(), nullptr, no_passphrase, nullptr));
      if (contents.key == nullptr) return fail("credential_invalid", what + " has a private key that cannot be read");
    }
  }
  return contents;
}

}  // namespace

Result<std::int64_t> check_client_certificate(const Secret& pem, std::string_view what_) {
  const std::string what(what_);
  auto contents = read(pem.reveal(), what);
  ERR_clear_error();
  if (!contents) return std::unexpected(contents.error());
  if (contents->certificates.empty())
    return fail("credential_invalid", what + " holds no certificate; a client certificate is its chain and its key in PEM form, "
                                             "one behind the other");
  if (contents->key == nullptr)
    return fail("credential_invalid", what + " holds no private key; put the key behind the certificates, in PEM form");
  X509* const first = contents->certificates.front().get();
  const bool matches = X509_check_private_key(first, contents->key.get()) == 1;
  ERR_clear_error();
  if (!matches) {
    for (std::size_t i = 1; i < contents->certificates.size(); ++i)
      if (X509_check_private_key(contents->certificates[i].get(), contents->key.get()) == 1)
        return fail("credential_invalid", what + " has its key's certificate in place " + std::to_string(i + 1) +
                                              "; it goes first, those that signed it behind it");
    ERR_clear_error();
    return fail("credential_invalid", what + " has a private key that is not its first certificate's");
  }
  const std::int64_t ends = seconds_of(X509_get0_notAfter(first));
  if (ends <= wall_clock_us() / 1'000'000)
    return fail("credential_invalid", what + " has a certificate that ended on " + format_timestamp(ends * 1'000'000).substr(0, 10));
  return ends;
}

Secret client_certificate_as_pem(Secret value) {
  const auto json = SecretJson::parse(value.reveal());
  if (!json || !json->is(SecretJson::Kind::object)) return value;
  const auto certificate = json->member("certificate"), key = json->member("private_key"), chain = json->member("ca_chain");
  if (!certificate || !key) return value;
  Secret pem = joined({certificate->text().reveal(), "\n"});
  if (chain)
    for (const auto& each : chain->items()) pem = joined({pem.reveal(), each.text().reveal(), "\n"});
  return joined({pem.reveal(), key->text().reveal(), "\n"});
}

}  // namespace weir::vault
