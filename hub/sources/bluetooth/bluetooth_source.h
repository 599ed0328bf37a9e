// The source of Bluetooth LE adverts: a BluezScanner whose adverts go to a Line, one datagram each.
//
// Its state in words: open while at least one adapter listens; else waiting, with what keeps it from hearing and what
// to do. What other makes of devices send is counted as rejected "foreign" and never handed over.
#pragma once

#include <memory>

#include "hub/sources/bluetooth/bluez_scanner.h"
#include "hub/sources/source.h"

namespace vesta::hub {

// What a configuration asks of the scanner.
ScanOptions ScanOptionsOf(const SourceConfig& config);

std::unique_ptr<Source> MakeBluetoothSource(boost::asio::io_context& io, const SourceConfig& config, Line& line);
// With other times and folders, for tests.
std::unique_ptr<Source> MakeBluetoothSource(boost::asio::io_context& io, ScanOptions options, Line& line);

}  // namespace vesta::hub
