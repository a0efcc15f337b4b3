#include "netns/firewall.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <netinet/icmp6.h>

#include <array>
#include <memory>
#include <new>

#include "netns/room_layout.h"

namespace weir::netns {
namespace {

constexpr const char* kTable = "weir";
constexpr const char* kNat = "nat_output";
constexpr const char* kFilter = "filter_output";

// Offsets in the headers: RFC 791 §3.1, RFC 8200 §3; the destination port is bytes 2 and 3 in TCP, UDP and SCTP.
constexpr std::uint32_t kIpv4Destination = 16;
constexpr std::uint32_t kIpv6Destination = 24;
constexpr std::uint32_t kDestinationPort = 2;

using Buffer = std::array<char, 4096>;

template <class T>
T* made(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

class Rule {
 public:
  explicit Rule(const char* chain) : rule_(made(nftnl_rule_alloc()), nftnl_rule_free) {
    nftnl_rule_set_u32(rule_.get(), NFTNL_RULE_FAMILY, NFPROTO_INET);
    nftnl_rule_set_str(rule_.get(), NFTNL_RULE_TABLE, kTable);
    nftnl_rule_set_str(rule_.get(), NFTNL_RULE_CHAIN, chain);
  }

  Rule& meta_is(std::uint32_t key, std::uint8_t value) {
    nftnl_expr* load = add("meta");
    nftnl_expr_set_u32(load, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(load, NFTNL_EXPR_META_DREG, NFT_REG_1);
    return compare(NFT_CMP_EQ, &value, sizeof value);
  }
  Rule& payload_is(std::uint32_t base, std::uint32_t offset, const void* value, std::uint32_t size) {
    nftnl_expr* load = add("payload");
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_LEN, size);
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
    return compare(NFT_CMP_EQ, value, size);
  }
  Rule& to_port(std::uint16_t port) {
    const std::uint16_t wire = htons(port);
    return payload_is(NFT_PAYLOAD_TRANSPORT_HEADER, kDestinationPort, &wire, sizeof wire);
  }
  Rule& connection_state_in(std::uint32_t states) {
    nftnl_expr* load = add("ct");
    nftnl_expr_set_u32(load, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
    nftnl_expr_set_u32(load, NFTNL_EXPR_CT_DREG, NFT_REG_1);
    const std::uint32_t zero = 0;
    nftnl_expr* mask = add("bitwise");
    nftnl_expr_set_u32(mask, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    nftnl_expr_set_u32(mask, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    nftnl_expr_set_u32(mask, NFTNL_EXPR_BITWISE_LEN, sizeof states);
    nftnl_expr_set(mask, NFTNL_EXPR_BITWISE_MASK, &states, sizeof states);
    nftnl_expr_set(mask, NFTNL_EXPR_BITWISE_XOR, &zero, sizeof zero);
    return compare(NFT_CMP_NEQ, &zero, sizeof zero);
  }
  Rule& accept() {
    nftnl_expr* verdict = add("immediate");
    nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT);
    return *this;
  }
  Rule& redirect(std::uint16_t port) {
    const std::uint16_t wire = htons(port);
    nftnl_expr* value = add("immediate");
    nftnl_expr_set_u32(value, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
    nftnl_expr_set(value, NFTNL_EXPR_IMM_DATA, &wire, sizeof wire);
    nftnl_expr* target = add("redir");
    nftnl_expr_set_u32(target, NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFT_REG_1);
    nftnl_expr_set_u32(target, NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
    return *this;
  }
  Rule& log() {
    nftnl_expr* log = add("log");
    nftnl_expr_set_u16(log, NFTNL_EXPR_LOG_GROUP, kDropLogGroup);
    nftnl_expr_set_u32(log, NFTNL_EXPR_LOG_SNAPLEN, kDropLogSnapshot);
    return *this;
  }
  Rule& reject(std::uint32_t type, std::uint8_t code) {
    nftnl_expr* reject = add("reject");
    nftnl_expr_set_u32(reject, NFTNL_EXPR_REJECT_TYPE, type);
    nftnl_expr_set_u8(reject, NFTNL_EXPR_REJECT_CODE, code);
    return *this;
  }

  void append_to(NetlinkBatch& batch, std::string what, bool last = false) const {
    Buffer buffer;
    const int flags = NLM_F_CREATE | NLM_F_APPEND | (last ? NLM_F_ACK : 0);
    nlmsghdr* header = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_NEWRULE, NFPROTO_INET, static_cast<std::uint16_t>(flags),
                                             batch.next_sequence());
    nftnl_rule_nlmsg_build_payload(header, rule_.get());
    batch.append(header, "the nftables rule " + std::move(what));
  }

 private:
  nftnl_expr* add(const char* name) {
    nftnl_expr* expression = made(nftnl_expr_alloc(name));
    nftnl_rule_add_expr(rule_.get(), expression);  // the rule owns it from here
    return expression;
  }
  Rule& compare(std::uint32_t operation, const void* value, std::uint32_t size) {
    nftnl_expr* compare = add("cmp");
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, operation);
    nftnl_expr_set(compare, NFTNL_EXPR_CMP_DATA, value, size);
    return *this;
  }

  std::unique_ptr<nftnl_rule, void (*)(const nftnl_rule*)> rule_;
};

void add_table(NetlinkBatch& batch) {
  const std::unique_ptr<nftnl_table, void (*)(const nftnl_table*)> table(made(nftnl_table_alloc()), nftnl_table_free);
  nftnl_table_set_u32(table.get(), NFTNL_TABLE_FAMILY, NFPROTO_INET);
  nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, kTable);
  Buffer buffer;
  nlmsghdr* header =
      nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_NEWTABLE, NFPROTO_INET, NLM_F_CREATE | NLM_F_EXCL, batch.next_sequence());
  nftnl_table_nlmsg_build_payload(header, table.get());
  batch.append(header, "the nftables table `inet weir` (kernel modules nf_tables, nf_tables_inet)");
}

void add_chain(NetlinkBatch& batch, const char* name, const char* type, int priority, std::uint32_t policy,
               std::string what) {
  const std::unique_ptr<nftnl_chain, void (*)(const nftnl_chain*)> chain(made(nftnl_chain_alloc()), nftnl_chain_free);
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_FAMILY, NFPROTO_INET);
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, kTable);
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name);
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, type);
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, NF_INET_LOCAL_OUT);
  nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, priority);
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, policy);
  Buffer buffer;
  nlmsghdr* header =
      nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE | NLM_F_EXCL, batch.next_sequence());
  nftnl_chain_nlmsg_build_payload(header, chain.get());
  batch.append(header, std::move(what));
}

Rule to_ipv4(const char* chain, const void* prefix, std::uint32_t size) {
  Rule rule(chain);
  rule.meta_is(NFT_META_NFPROTO, NFPROTO_IPV4).payload_is(NFT_PAYLOAD_NETWORK_HEADER, kIpv4Destination, prefix, size);
  return rule;
}

Rule to_ipv6(const char* chain, const in6_addr& address) {
  Rule rule(chain);
  rule.meta_is(NFT_META_NFPROTO, NFPROTO_IPV6)
      .payload_is(NFT_PAYLOAD_NETWORK_HEADER, kIpv6Destination, &address, sizeof address);
  return rule;
}

// What stays between processes of the room: it can reach only sockets in here.
void accept_inside(NetlinkBatch& batch, const char* chain) {
  const std::uint8_t loopback4 = 127;
  in_addr own4{};
  in6_addr own6{};
  inet_pton(AF_INET, std::string(kOwnAddress4).c_str(), &own4);
  inet_pton(AF_INET6, std::string(kOwnAddress6).c_str(), &own6);
  to_ipv4(chain, &loopback4, sizeof loopback4).accept().append_to(batch, "`ip daddr 127.0.0.0/8 accept`");
  to_ipv4(chain, &own4, sizeof own4).accept().append_to(batch, "`ip daddr " + std::string(kOwnAddress4) + " accept`");
  to_ipv6(chain, in6addr_loopback).accept().append_to(batch, "`ip6 daddr ::1 accept`");
  to_ipv6(chain, own6).accept().append_to(batch, "`ip6 daddr " + std::string(kOwnAddress6) + " accept`");
}

}  // namespace

NetlinkBatch firewall_setup() {
  NetlinkBatch batch;
  Buffer buffer;
  batch.append(nftnl_batch_begin(buffer.data(), batch.next_sequence()), "an nftables transaction (kernel module nf_tables)");
  add_table(batch);

  add_chain(batch, kNat, "nat", -100, NF_ACCEPT, "the nftables chain `type nat hook output` (kernel module nft_chain_nat)");
  accept_inside(batch, kNat);
  for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{IPPROTO_UDP, IPPROTO_TCP}) {
    const std::string name = protocol == IPPROTO_UDP ? "udp" : "tcp";
    Rule(kNat)
        .meta_is(NFT_META_L4PROTO, protocol)
        .to_port(53)
        .redirect(kDnsPort)
        .append_to(batch, "`" + name + " dport 53 redirect` (kernel module nft_redir)");
  }
  Rule(kNat)
      .meta_is(NFT_META_L4PROTO, IPPROTO_TCP)
      .redirect(kTcpPort)
      .append_to(batch, "`meta l4proto tcp redirect` (kernel module nft_redir)");

  // SECURITY: G1, drop is what happens should a packet ever fall through the rules.
  add_chain(batch, kFilter, "filter", 0, NF_DROP, "the nftables chain `type filter hook output` (kernel module nf_tables)");
  const std::uint32_t replies = NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
  Rule(kFilter).connection_state_in(replies).accept().append_to(
      batch, "`ct state established,related accept` (kernel modules nft_ct, nf_conntrack)");
  accept_inside(batch, kFilter);
  // SECURITY: G3, a rule of its own before the refusals, so that whatever is refused is logged first.
  Rule(kFilter).log().append_to(batch,
                                "`log group " + std::to_string(kDropLogGroup) + "` (kernel modules nft_log, nfnetlink_log)");
  Rule(kFilter)
      .meta_is(NFT_META_L4PROTO, IPPROTO_TCP)
      .reject(NFT_REJECT_TCP_RST, 0)
      .append_to(batch, "`reject with tcp reset` (kernel modules nft_reject, nft_reject_inet)");
  Rule(kFilter)
      .reject(NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED)
      .append_to(batch, "`reject with icmpx admin-prohibited` (kernel modules nft_reject, nft_reject_inet)", true);
  batch.append(nftnl_batch_end(buffer.data(), batch.next_sequence()), "the nftables transaction");
  return batch;
}

NetlinkBatch drop_log_setup() {
  NetlinkBatch batch;
  Buffer buffer;
  nlmsghdr* header = nftnl_nlmsg_build_hdr(buffer.data(), 0, AF_UNSPEC, NLM_F_ACK, batch.next_sequence());
  header->nlmsg_type = (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG;
  static_cast<nfgenmsg*>(mnl_nlmsg_get_payload(header))->res_id = htons(kDropLogGroup);

  const nfulnl_msg_config_cmd bind{.command = NFULNL_CFG_CMD_BIND};
  mnl_attr_put(header, NFULA_CFG_CMD, sizeof bind, &bind);
  nfulnl_msg_config_mode mode{};
  mode.copy_range = htonl(kDropLogSnapshot);
  mode.copy_mode = NFULNL_COPY_PACKET;
  mnl_attr_put(header, NFULA_CFG_MODE, sizeof mode, &mode);
  // A message for each packet, at once: when the sandbox ends, all that it did is already in the socket. Small kernel
  // buffers (the default is 4 KiB for each), so that many fit in the socket's queue.
  mnl_attr_put_u32(header, NFULA_CFG_QTHRESH, htonl(1));
  mnl_attr_put_u32(header, NFULA_CFG_NLBUFSIZ, htonl(512));
  mnl_attr_put_u16(header, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));  // numbered, so that gaps can be counted
  batch.append(header, "NFLOG group " + std::to_string(kDropLogGroup) + " (kernel module nfnetlink_log)");
  return batch;
}

}  // namespace weir::netns
