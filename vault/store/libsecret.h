// The few functions of libsecret's public interface that weir calls, bound when the program runs (soname libsecret-1.so.0,
// of which all versions from 0.18 on have them). Declared after its documentation, as no header is needed to build weir.
#pragma once

#include <string>

namespace weir::vault::store {

struct GlibError {  // GError
  unsigned domain;
  int code;
  char* message;
};

struct SchemaAttribute {  // SecretSchemaAttribute
  const char* name;
  int type;  // 0: a string
};

struct Schema {  // SecretSchema; zero from `attributes` on where nothing is said
  const char* name;
  int flags;  // 0: items of this name only
  SchemaAttribute attributes[32];
  int reserved;
  void* more_reserved[7];
};

struct Libsecret {
  // The variable arguments are pairs of an attribute's name and value, and a null pointer.
  char* (*lookup)(const Schema*, void* cancellable, GlibError**, ...);  // freed by the caller, with free_text
  int (*store)(const Schema*, const char* collection, const char* label, const char* password, void* cancellable,
               GlibError**, ...);
  int (*clear)(const Schema*, void* cancellable, GlibError**, ...);
  void* (*search)(const Schema*, int flags, void* cancellable, GlibError**, ...);  // null where it is older than 0.19
  void (*free_text)(char*);                                                        // wipes it first

  // False, with `why`: it is not installed, or not what it should be.
  bool load(std::string& why);
};

}  // namespace weir::vault::store
