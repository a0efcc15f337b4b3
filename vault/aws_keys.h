// Keys for AWS in the forms in which tools give them, made one form. Pure.
#pragma once

#include "base/error.h"
#include "base/secret.h"

namespace weir::vault {

// "ID\nSECRET", or "ID\nSECRET\nTOKEN" where there is a session token. `value` is what a credential's `from` gives, in one of these forms:
// - JSON: AccessKeyId, SecretAccessKey and SessionToken (credential_process; STS, under "Credentials"; Token for SessionToken as the instance
//   metadata service has it), the same in lower camel case (SSO, under "roleCredentials"), or access_key, secret_key and security_token
//   or session_token (Vault's aws engine, also under "data");
// - one section of ~/.aws/credentials, or its three settings as variables ("export AWS_ACCESS_KEY_ID=…");
// - two or three lines: id, secret, token.
// "aws_keys_unreadable": it is none of these, or of several profiles, or a part is missing or holds white space. The message holds nothing of it.
Result<Secret> aws_keys(const Secret& value);

}  // namespace weir::vault
