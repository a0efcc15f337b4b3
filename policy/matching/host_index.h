// Host patterns by hash: a look-up costs one hash for the name and one for each of its suffixes that could be there,
// however many patterns there are. Building allocates, looking up does not.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/canonical.h"
#include "policy/document.h"
#include "policy/matching/path_trie.h"

namespace weir::policy {

class HostIndex {
 public:
  struct Entry {
    std::uint32_t owner = 0;  // index of the rule or credential
    std::uint16_t port = 0;   // of a host:port pattern, else 0
  };

  void reserve(std::size_t patterns) { exact_.reserve(patterns); }

  // `any_takes_addresses`: whether `*` stands for IP literals too. It is "every name", so only a denial goes that far.
  void add(const HostPattern& pattern, std::uint32_t owner, bool any_takes_addresses);

  // All patterns of one name (or of `*`); how a host with very many rules is looked through faster.
  class Bucket {
   public:
    void add(const Entry& entry) {
      if (size_++ == 0)
        first_ = entry;  // most names have one rule: no second place in memory to go to
      else
        others_.push_back(entry);
    }
    std::size_t size() const { return size_; }
    template <class Each>
    void each(Each&& with) const {
      if (size_ > 0) with(first_);
      for (const Entry& entry : others_) with(entry);
    }
    std::unique_ptr<PathTrie<Entry>> by_path;  // of hosts with many rules, after index_paths()

   private:
    Entry first_;
    std::uint32_t size_ = 0;
    std::vector<Entry> others_;
  };

  // Sorts the entries of full buckets by path. `paths_of(owner)` gives the patterns of a rule.
  template <class PathsOf>
  void index_paths(PathsOf&& paths_of) {
    const auto each = [&](Bucket& bucket) {
      constexpr std::size_t kMany = 16;
      if (bucket.size() < kMany) return;
      bucket.by_path = std::make_unique<PathTrie<Entry>>();
      bucket.each([&](const Entry& entry) { bucket.by_path->add(entry, paths_of(entry.owner)); });
    };
    for (auto& [name, bucket] : exact_) each(bucket);
    for (auto& [name, bucket] : below_) each(bucket);
    each(any_name_);
    each(any_address_);
  }

  // Calls visit(Entry) for each pattern that matches the canonical host.
  template <class Visit>
  void visit(std::string_view host, Visit&& visit_entry) const {
    visit_buckets(host, [&](const Bucket& bucket) { bucket.each(visit_entry); });
  }

  // The same for a request whose path is known and can be read in one way only; leaves out what cannot match for its path.
  template <class Visit>
  void visit(std::string_view host, std::string_view path, Visit&& visit_entry) const {
    visit_buckets(host, [&](const Bucket& bucket) {
      if (bucket.by_path) return bucket.by_path->visit(path, visit_entry);
      bucket.each(visit_entry);
    });
  }

 private:
  template <class Each>
  void visit_buckets(std::string_view host, Each&& each) const {
    if (const auto found = exact_.find(host); found != exact_.end()) each(found->second);
    if (is_ip_literal(host)) return each(any_address_);
    each(any_name_);
    if (below_.empty()) return;
    for (auto dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      const auto suffix = host.substr(dot + 1);
      if (suffix.size() > kMaxName || !below_lengths_[suffix.size()]) continue;
      if (const auto found = below_.find(suffix); found != below_.end()) each(found->second);
    }
  }

  static constexpr std::size_t kMaxName = 253;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using ByName = std::unordered_map<std::string, Bucket, Hash, std::equal_to<>>;

  ByName exact_;
  ByName below_;
  std::bitset<kMaxName + 1> below_lengths_;  // so that a name of a hundred labels does not cost a hundred hashes
  Bucket any_name_;
  Bucket any_address_;
};

// One pattern against one canonical host, ports aside: for explanations, where the index would not say what failed.
bool matches_host(const HostPattern& pattern, std::string_view host, bool any_takes_addresses);

}  // namespace weir::policy
