#include "hub/mqtt/failure_text.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cerrno>
#include <cstring>

namespace vesta::hub::mqtt {
namespace {

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string RefusalText(const Failure& f) {
  constexpr std::string_view kLogin = "the broker refuses the login: check user name, password or client certificate";
  constexpr std::string_view kClientId = "the broker refuses the client id";
  constexpr std::string_view kBusy = "the broker says that it is not available now";
  if (f.protocol != 5) {
    switch (f.connack) {
      case CONNACK_REFUSED_PROTOCOL_VERSION:
        return "the broker does not speak MQTT 3.1.1";
      case CONNACK_REFUSED_IDENTIFIER_REJECTED:
        return std::string(kClientId);
      case CONNACK_REFUSED_SERVER_UNAVAILABLE:
        return std::string(kBusy);
      case CONNACK_REFUSED_BAD_USERNAME_PASSWORD:
      case CONNACK_REFUSED_NOT_AUTHORIZED:
        return std::string(kLogin);
      default:
        return fmt::format("the broker refuses the connection (return code {})", f.connack);
    }
  }
  switch (f.connack) {
    case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
      return "the broker does not speak MQTT 5";
    case MQTT_RC_CLIENTID_NOT_VALID:
      return std::string(kClientId);
    case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
    case MQTT_RC_NOT_AUTHORIZED:
      return std::string(kLogin);
    case MQTT_RC_SERVER_UNAVAILABLE:
    case MQTT_RC_SERVER_BUSY:
      return std::string(kBusy);
    default:
      return fmt::format("the broker refuses the connection: {}", mosquitto_reason_string(f.connack));
  }
}

// The library tells of TLS failures in its log only.
std::string TlsText(const Failure& f) {
  const std::string_view log = f.library_log;
  if (Contains(log, "host name verification failed") || Contains(log, "ostname mismatch")) {
    return fmt::format("the certificate of {} is made out to another host name", f.where);
  }
  if (Contains(log, "certificate has expired")) return fmt::format("the certificate of {} has expired", f.where);
  if (Contains(log, "certificate verify failed")) {
    return fmt::format("the certificate of {} is not signed by the authority in ca_file", f.where);
  }
  if (Contains(log, "certificate required") || Contains(log, "handshake failure")) {
    return f.has_certificate ? fmt::format("{} refuses our client certificate", f.where)
                             : fmt::format("{} wants a client certificate (cert_file, key_file)", f.where);
  }
  if (Contains(log, "alert")) return fmt::format("{} refuses our client certificate", f.where);
  if (Contains(log, "wrong version number")) return fmt::format("{} does not speak TLS", f.where);
  if (Contains(log, "Unable to load")) return "ca_file, cert_file or key_file cannot be used";
  return fmt::format("TLS with {} failed", f.where);
}

std::string SystemText(const Failure& f) {
  switch (f.system_error) {
    case ECONNREFUSED:
      return fmt::format("{} refuses the connection: no broker listens there", f.where);
    case ETIMEDOUT:
      return fmt::format("no answer from {}", f.where);
    case EHOSTUNREACH:
    case ENETUNREACH:
      return fmt::format("no route to {}", f.where);
    default:
      return fmt::format("{}: {}", f.where, std::strerror(f.system_error));
  }
}

}  // namespace

std::string FailureText(const Failure& f) {
  if (f.connack != 0) return RefusalText(f);
  if (f.disconnect_reason == MQTT_RC_SESSION_TAKEN_OVER) return "another client took over our client id";
  if (f.disconnect_reason != 0) {
    return fmt::format("the broker ended the connection: {}", mosquitto_reason_string(f.disconnect_reason));
  }
  if (f.tls && !f.library_log.empty() && (Contains(f.library_log, "SSL") || Contains(f.library_log, "erif"))) {
    return TlsText(f);
  }
  if (f.timed_out) return fmt::format("no answer from {}", f.where);
  switch (f.library_error) {
    case MOSQ_ERR_EAI:
      return fmt::format("the host name of {} is not known", f.where);
    case MOSQ_ERR_TLS:
      return TlsText(f);
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET:
    case MOSQ_ERR_OVERSIZE_PACKET:
      return fmt::format("{} sends what is not MQTT", f.where);
    case MOSQ_ERR_KEEPALIVE:
      return fmt::format("{} does not answer any more", f.where);
    case MOSQ_ERR_INVAL:
      return "ca_file, cert_file or key_file cannot be read, or a setting is not valid";
    default:
      break;
  }
  if (f.system_error != 0 && f.system_error != EAGAIN && f.library_error == MOSQ_ERR_ERRNO) return SystemText(f);
  if (f.was_up) return fmt::format("{} closed the connection", f.where);
  return fmt::format("{} closed the connection before it said welcome", f.where);
}

}  // namespace vesta::hub::mqtt
