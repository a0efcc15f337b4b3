#include "vault/store/libsecret.h"

#include <dlfcn.h>

namespace weir::vault::store {
namespace {

template <class Function>
bool bind(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

bool Libsecret::load(std::string& why) {
  void* library = ::dlopen("libsecret-1.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    why = "libsecret cannot be loaded (on Debian: apt-get install libsecret-1-0): " + std::string(reason ? reason : "");
    return false;
  }
  // Text that is not swapped out, where this version has it.
  if (!bind(library, "secret_password_lookup_nonpageable_sync", lookup) &&
      !bind(library, "secret_password_lookup_sync", lookup)) {
    why = "this libsecret lacks secret_password_lookup_sync";
    return false;
  }
  (void)bind(library, "secret_password_search_sync", search);
  if (bind(library, "secret_password_store_sync", store) && bind(library, "secret_password_clear_sync", clear) &&
      bind(library, "secret_password_free", free_text))
    return true;
  why = "this libsecret lacks a function that weir needs";
  return false;
}

}  // namespace weir::vault::store
