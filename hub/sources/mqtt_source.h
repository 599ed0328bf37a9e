// A source that subscribes at an MQTT broker: nodes publish a device's bytes there.
//
// The connection is shared with whoever uses the same broker. The broker keeps the session, so what comes while the hub
// is away waits there; a message is acknowledged when its readings are durable (or, by configuration, when they are
// taken). One sender is one topic (form "raw") or one id in the message (form "legacy"). Retained messages are told
// apart from live ones, and a message that the broker sends again after a broken link is taken once. What the times
// mean and what a broker must be set to: docs/sources/mqtt.md.
#pragma once

#include <functional>
#include <memory>

#include "hub/clock/clock.h"
#include "hub/intake/sender_lines.h"
#include "hub/mqtt/connection.h"
#include "hub/sources/source.h"

namespace vesta::hub {

// Messages remembered to know one that comes again: more than a broker has in flight to us (the library asks for 20).
inline constexpr size_t kRememberedMessages = 128;
// After the broker resumed a session, messages count as held back until it paused for this long, but not for ever: with
// several senders there may be no pause.
inline constexpr int64_t kBacklogPause_us = 1 * kUsPerSecond;
inline constexpr int64_t kBacklogLongest_us = 600 * kUsPerSecond;

// Calls back when everything that was appended so far is durable.
using WhenDurable = std::function<void(std::function<void()>)>;

// lines and clock outlive the source.
std::unique_ptr<Source> MakeMqttSource(const SourceConfig& config, const Clock& clock,
                                       std::shared_ptr<mqtt::Connection> connection, SenderLines& lines,
                                       WhenDurable when_durable);

}  // namespace vesta::hub
