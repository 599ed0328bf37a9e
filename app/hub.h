// The whole hub, put together from a configuration: store, journal, live view, sources, outputs, web.
//
// Everything runs on the caller's io_context but the store's writer and reader and the clients' own threads. Parts that
// can't start (a port that is taken, a file that is missing) are told as problems; the rest starts.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "app/bus_desk.h"
#include "app/nodes.h"
#include "app/ward.h"
#include "hub/clock/clock.h"
#include "hub/config/load.h"
#include "hub/devices/directory.h"
#include "hub/insight/merged_device.h"
#include "hub/intake/late_decoder.h"
#include "hub/intake/sender_lines.h"
#include "hub/intake/session_line.h"
#include "hub/journal/journal.h"
#include "hub/keys/key_desk.h"
#include "hub/live/live_view.h"
#include "hub/mqtt/shared_connections.h"
#include "hub/outputs/output.h"
#include "hub/postgres/follower.h"
#include "hub/sources/source.h"
#include "hub/store/store.h"
#include "hub/web/server.h"

namespace vesta::app {

// Two hubs on one data directory would give the same numbers twice: the second one does not start.
class DataLock {
 public:
  ~DataLock();
  tl::expected<void, std::string> Take(const std::string& directory);

 private:
  int fd_ = -1;
};

class Hub {
 public:
  // `off` are the parts of the configuration that were left out because they are wrong; health shows them.
  static tl::expected<std::unique_ptr<Hub>, std::string> Make(boost::asio::io_context& io, hub::Config config,
                                                              std::vector<std::string> off);
  ~Hub();

  // Opens ports, connects outputs, listens. The error is what makes the hub useless (the web address is taken).
  tl::expected<void, std::string> Start();
  // Stops sources, lets outputs say goodbye, commits everything, then calls done.
  void Stop(std::function<void()> done);

  const std::string& page_address() const { return page_address_; }  // "http://127.0.0.1:8600/"
  hub::Journal& journal() { return *journal_; }
  hub::Directory& directory() { return directory_; }
  std::vector<hub::SourceHealth> SourceHealths() const;
  std::vector<hub::OutputHealth> OutputHealths() const;

  // Short line for people and for systemd: "3 devices, 2 of 2 sources open, mqtt connected".
  std::string StatusLine() const;
  // Whether the journal's writer made progress since the last call; the watchdog asks.
  bool Progressed();

 private:
  struct SourceEntry {
    std::unique_ptr<hub::SessionLine> line;
    std::unique_ptr<hub::SenderLines> senders;  // instead of line: several are heard on one source
    std::unique_ptr<hub::Source> source;
  };

  Hub(boost::asio::io_context& io, hub::Config config, std::vector<std::string> off);
  tl::expected<void, std::string> Open();
  void LoadKeys();
  void MakeSources();
  void DecodeLate();
  std::unique_ptr<hub::SessionLine> MakeLine(const hub::SourceConfig& config, const std::string& where,
                                             const std::string& sender);
  std::unique_ptr<hub::SessionLine> MakeLine(const hub::SourceConfig& config, const std::string& where,
                                             const std::string& sender, std::unique_ptr<Session> session);
  void MakeNodesSource(const hub::SourceConfig& config);
  SourceEntry MakeMqttSource(const hub::SourceConfig& config);
  void MakeOutputs();
  void MakeMerged();
  void KeepMerged();
  tl::expected<void, std::string> StartWeb();
  void ApplyDeviceNames();
  void ApplyDeviceName(const hub::Device& device);
  hub::RenameResult Rename(hub::DeviceId device, std::string name, std::string place);
  void AwaitFarewells(int looks, std::function<void()> done);
  void StopSources(std::function<void()> done);
  void StopOutputs(size_t index, std::function<void()> done);
  void StopWeb(std::function<void()> done);
  void ArmTick();
  void WatchClock();
  tl::expected<hub::ExportPieces, std::string> MakeExport(const hub::ExportCall& call) const;
  hub::HubState State() const;

  boost::asio::io_context& io_;
  hub::Config config_;
  std::vector<std::string> off_;
  hub::SystemClock clock_;
  DataLock lock_;
  UtcUs started_us_ = 0;
  hub::Directory directory_;
  std::unique_ptr<hub::Store> store_;
  std::unique_ptr<hub::Journal> journal_;
  std::unique_ptr<hub::postgres::Follower> database_;  // when the history is kept in PostgreSQL
  std::unique_ptr<Ward> ward_;
  std::unique_ptr<hub::LiveView> live_;
  hub::LiveView::Token naming_;
  std::unique_ptr<BusDesk> buses_;
  std::unique_ptr<hub::KeyDesk> keys_;  // outlives the sessions that look into it
  std::unique_ptr<hub::LateDecoder> late_;
  std::vector<hub::Redecode> redecodes_;  // due from the start
  hub::mqtt::SharedConnections brokers_;
  std::vector<std::unique_ptr<hub::MergedDevice>> merged_;
  uint64_t merged_kept_ = 0;           // sum of their revisions when they were last written
  std::unique_ptr<NodeOffice> nodes_;  // outlives the sessions of its networks
  std::vector<SourceEntry> sources_;
  std::vector<std::unique_ptr<hub::Output>> outputs_;
  std::unique_ptr<hub::WebServer> web_;
  boost::asio::steady_timer tick_;
  std::string page_address_;
  Now last_tick_;
  uint64_t clock_steps_ = 0;
  uint64_t seen_commits_ = 0;
  bool stopping_ = false;
};

}  // namespace vesta::app
