// The MQTT output: one connection, two delivery classes kept apart, and Home Assistant's discovery.
//
// <base>/history/<device>: every reading, at least once, original time (mqtt_history.h).
// <base>/<device>/state and state_slow: newest value only, at once (mqtt_state.h).
// <prefix>/...: what the device is, for Home Assistant (mqtt_discovery.h).
// <base>/<device>/<field>/set: what is asked of nodes, where the configuration allows it (mqtt_commands.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hub/clock/clock.h"
#include "hub/config/config.h"
#include "hub/devices/directory.h"
#include "hub/journal/journal.h"
#include "hub/live/live_view.h"
#include "hub/mqtt/connection.h"
#include "hub/nodes/node_desk.h"
#include "hub/outputs/output.h"

namespace vesta::hub {

struct HubIdentity {
  std::string id;  // [a-z0-9_-]+
  std::string name;
};

// The waits of the output; tests shorten them.
struct MqttOutputTiming {
  mqtt::ConnectionTiming connection = {};
  // After Home Assistant said that it is there: a random time in between, so that not all of its senders answer at
  // once.
  int64_t birth_wait_first_us = 1 * kUsPerSecond;
  int64_t birth_wait_last_us = 10 * kUsPerSecond;
  // Retained discovery of an earlier run comes in within this time after the broker granted the subscription.
  int64_t sweep_us = 2 * kUsPerSecond;
  // A receiver needs a moment from discovery to its subscription; states are sent again then.
  int64_t states_after_discovery_us = 3 * kUsPerSecond;
  // A device of an earlier run that was not heard for so long is gone, and its discovery is taken back.
  int64_t gone_after_us = 3600 * kUsPerSecond;
  int64_t housekeeping_us = 10 * kUsPerSecond;
  // Before something that the broker refused for now is tried again.
  int64_t retry_us = 10 * kUsPerSecond;
};

using FieldNameOf = std::function<std::string(const Device&, const SeriesField&)>;
using DeviceTitleOf = std::function<std::string(const Device&)>;

// All references must outlive the output. shared: a connection to the same broker that a source listens on, not started
// yet and without a status topic; without it the output makes its own.
std::unique_ptr<Output> MakeMqttOutput(boost::asio::io_context& io, const Clock& clock, const OutputConfig& config,
                                       const HubIdentity& identity, Journal& journal, LiveView& live,
                                       Directory& directory, FieldNameOf field_name, DeviceTitleOf device_title,
                                       const MqttOutputTiming& timing = {},
                                       std::shared_ptr<mqtt::Connection> shared = nullptr, NodeDesk* nodes = nullptr);

}  // namespace vesta::hub
