#include "netns/loopback.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <string>

#include "netns/room_layout.h"

namespace weir::netns {
namespace {

constexpr int kLoopbackIndex = 1;  // lo is the first interface of every namespace

struct Address {
  std::array<unsigned char, 16> bytes{};
  std::size_t size = 0;
};

Address parse(unsigned char family, std::string_view text) {
  Address address;
  address.size = family == AF_INET ? 4 : 16;
  inet_pton(family, std::string(text).c_str(), address.bytes.data());
  return address;
}

// One message in a buffer of its own.
class Request {
 public:
  Request(const NetlinkBatch& batch, std::uint16_t type, std::uint16_t flags)
      : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    header_->nlmsg_seq = batch.next_sequence();
  }
  template <class Body>
  Body* body() {
    return static_cast<Body*>(mnl_nlmsg_put_extra_header(header_, sizeof(Body)));
  }
  nlmsghdr* get() { return header_; }

 private:
  alignas(nlmsghdr) std::array<char, 512> buffer_{};
  nlmsghdr* header_;
};

void link_up(NetlinkBatch& batch) {
  Request request(batch, RTM_NEWLINK, 0);
  auto* link = request.body<ifinfomsg>();
  link->ifi_family = AF_UNSPEC;
  link->ifi_index = kLoopbackIndex;
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  batch.append(request.get(), "bring lo up");  // 127.0.0.1 and ::1 come with it
}

void own_address(NetlinkBatch& batch, unsigned char family, std::string_view text) {
  Request request(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  auto* body = request.body<ifaddrmsg>();
  body->ifa_family = family;
  body->ifa_prefixlen = family == AF_INET ? 32 : 128;
  body->ifa_flags = IFA_F_NODAD;  // at once fit to be the source of a route, without a wait for duplicate address detection
  body->ifa_scope = RT_SCOPE_UNIVERSE;
  body->ifa_index = kLoopbackIndex;
  const Address address = parse(family, text);
  mnl_attr_put(request.get(), IFA_LOCAL, address.size, address.bytes.data());
  mnl_attr_put(request.get(), IFA_ADDRESS, address.size, address.bytes.data());
  batch.append(request.get(), "add " + std::string(text) + " to lo", family == AF_INET6);
}

// local 0.0.0.0/0 dev lo, local ::/0 dev lo
void any_address_is_local(NetlinkBatch& batch, unsigned char family, std::string_view source) {
  Request request(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  auto* route = request.body<rtmsg>();
  route->rtm_family = family;
  route->rtm_dst_len = 0;
  route->rtm_table = RT_TABLE_LOCAL;
  route->rtm_protocol = RTPROT_BOOT;
  route->rtm_scope = RT_SCOPE_HOST;
  route->rtm_type = RTN_LOCAL;
  mnl_attr_put_u32(request.get(), RTA_OIF, kLoopbackIndex);
  const Address address = parse(family, source);
  mnl_attr_put(request.get(), RTA_PREFSRC, address.size, address.bytes.data());
  batch.append(request.get(), std::string("add the route `local ") + (family == AF_INET ? "0.0.0.0/0" : "::/0") + " dev lo`",
               family == AF_INET6);
}

}  // namespace

NetlinkBatch loopback_setup() {
  NetlinkBatch batch;
  link_up(batch);
  own_address(batch, AF_INET, kOwnAddress4);
  own_address(batch, AF_INET6, kOwnAddress6);
  any_address_is_local(batch, AF_INET, kOwnAddress4);
  any_address_is_local(batch, AF_INET6, kOwnAddress6);
  return batch;
}

}  // namespace weir::netns
