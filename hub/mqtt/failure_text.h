// Why a connection to a broker failed, in words for people: what is wrong and where to look. Never a secret.
#pragma once

#include <string>
#include <string_view>

namespace vesta::hub::mqtt {

// What was known when an attempt or a link ended.
struct Failure {
  std::string_view where = {};  // "mqtt://host:1883"
  int library_error = 0;        // MOSQ_ERR_...
  int system_error = 0;         // errno, 0 when none
  int connack = 0;              // refusal by the broker, 0 when none
  int protocol = 5;             // version of that refusal: 5 or 4
  int disconnect_reason = 0;    // MQTT 5: the broker's DISCONNECT, 0 when none
  bool timed_out = false;       // no welcome in time
  bool was_up = false;          // the link had been up
  bool tls = false;
  bool has_certificate = false;       // we showed one
  std::string_view library_log = {};  // the library's error lines
};

std::string FailureText(const Failure& failure);

}  // namespace vesta::hub::mqtt
