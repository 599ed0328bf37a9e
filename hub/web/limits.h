// Every bound of the web room that time or people can hit, in one place; tests run with smaller ones.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/time.h"

namespace vesta::hub {

// A household's browsers, a scraper and some programs; each open connection costs some 10 kB, TLS some 50 kB.
inline constexpr size_t kMaxConnections = 64;
// One stranger must not take them all.
inline constexpr size_t kMaxConnectionsPerAddress = 32;
// Connections beyond those that are told so before they are closed; of a flood the rest is closed at once.
inline constexpr size_t kMaxRefusals = 8;
// Open pages. Each keeps one stream open for hours.
inline constexpr size_t kMaxEventClients = 16;
// History queries at work or on their way to the client: each may hold an answer of some 500 kB.
inline constexpr size_t kMaxQueries = 4;

struct WebLimits {
  size_t connections = kMaxConnections;
  size_t connections_per_address = kMaxConnectionsPerAddress;
  size_t event_clients = kMaxEventClients;
  size_t queries = kMaxQueries;

  // From the first byte of a request (or from the start of the TLS handshake) to its last: beats clients that send a
  // byte a second for ever.
  int64_t request_timeout_us = 10 * kUsPerSecond;
  int64_t idle_timeout_us = 75 * kUsPerSecond;   // between requests; browsers give up after about as long
  int64_t write_timeout_us = 30 * kUsPerSecond;  // without one byte taken by the client
  // A page in a sleeping tab or on a bad link may take nothing for long; it costs no memory while it sleeps.
  int64_t live_write_timeout_us = 300 * kUsPerSecond;
  int64_t finish_timeout_us = 2 * kUsPerSecond;  // for the client to hang up after the last answer
  int64_t sweep_us = kUsPerSecond / 2;           // how often the above are looked at

  int64_t event_interval_us = kUsPerSecond / 4;  // changes go out at most this often
  int64_t summary_interval_us = kUsPerSecond;    // sources, outputs, coalesced
  int64_t ping_interval_us = 15 * kUsPerSecond;  // so that proxies keep the link
};

}  // namespace vesta::hub
