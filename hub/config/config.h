// The configuration as the program uses it: plain structs with defaults, filled by the loader from one JSON file.
//
// The JSON Schema (hub/config/schema.json) is the only truth about names, types, ranges and texts; these structs mirror
// it. A secret is kept as a value here and nowhere else: it never reaches a log, the API or an error text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vesta::hub {

// Text that must not be shown. Read from the file named by "..._file", from the environment variable named by
// "..._env", or (discouraged) from the configuration itself.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  bool empty() const { return text_.empty(); }
  const std::string& Reveal() const { return text_; }

 private:
  std::string text_;
};

struct P1Config {
  std::string zone = "Europe/Amsterdam";
  std::string tariff_rule = "nl";      // "nl", "be"
  std::string offset_rule = "letter";  // "letter", "calendar"
  std::string crc = "arc";             // "arc", "x25", "ignore"
  Secret encryption_key;               // 32 hex digits, "" = plain only
  Secret authentication_key;           // 32 hex digits
  bool check_tag = true;               // false: rely on the inner CRC
  bool accept_missing_crc = false;     // repairs, each counted
  bool strip_bit7 = false;
  bool repair_line_ends = false;
  bool lenient_end_mark = false;
  uint32_t max_telegram_bytes = 16384;
};

struct MasterBusConfig {
  bool read = false;
  double read_every_s = 5;
  uint32_t read_gap_ms = 10;
};

// Several VE.Direct devices on one serial port behind a multiplexer, chosen by lines of a GPIO chip.
struct VedirectSelectConfig {
  std::string chip;                // "/dev/gpiochip0"; "" = one device on the port, no lines
  std::vector<uint32_t> lines;     // numbers on the chip, the lowest bit of the channel number first
  std::vector<uint32_t> channels;  // channel numbers with a device, in the order in which they are visited
};

struct VedirectConfig {
  bool hex = false;      // ask for registers that the text does not carry
  uint32_t poll_s = 30;  // between two rounds of questions
  VedirectSelectConfig select;
};

struct MqttConfig {
  std::string host = "127.0.0.1";
  uint16_t port = 1883;
  std::string client_id;  // "" = made from the hub id
  std::string username;
  Secret password;
  std::string version = "5";  // "5" (falls back to 3.1.1 when refused), "3.1.1"
  uint32_t keepalive_s = 30;
  bool tls = false;
  std::string ca_file;  // "" with tls: the system's
  std::string cert_file;
  std::string key_file;
  bool verify_host = true;
};

struct MedibusConfig {
  bool passive = false;   // listen only: another host polls
  std::string host_name;  // told to a device that asks; "" = none
  double cycle_s = 5;
  double alarm_s = 2;
  double response_timeout_s = 10;
  uint32_t realtime_streams = 0;
  std::string assumed_family =
      "incubator";         // of a device that does not identify itself: "incubator", "ventilator", "none"
  std::string table_file;  // code rows of the site, laid over the built-in table
};

struct SourceConfig {
  std::string name;  // unique, [a-z0-9_-]+
  std::string
      type;  // "serial", "tcp", "tcp-listen", "udp", "bluetooth", "slcan", "can", "can-udp", "mqtt", "nodes", "capture"
  std::string protocol;  // "p1", "victron", "vedirect", "medibus", "masterbus", "nodes"
  bool enabled = true;

  // serial
  std::string port;  // /dev/serial/by-id/...; a glob pattern is allowed
  uint32_t baud = 115200;
  std::string framing = "8N1";  // "8N1", "7E1", "8E1", "8O1", "7N1"
  // tcp, tcp-listen, udp
  std::string host;  // tcp: where to connect
  uint16_t tcp_port = 0;
  std::string listen = "127.0.0.1";
  bool exposed = false;            // needed to listen beyond loopback, together with allow
  std::vector<std::string> allow;  // addresses or networks (CIDR) that may connect
  uint32_t silence_timeout_s = 0;  // no byte for so long: reconnect; 0 = 3 learned intervals, at least 60 s
  // bluetooth
  std::vector<std::string> adapters;  // "hci0" or an address; none: all there are
  std::string mode = "auto";          // "auto", "passive", "discovery"
  // slcan, can
  uint32_t bitrate = 250000;
  bool listen_only = true;
  std::string can_interface;             // can: "can0"
  std::vector<std::string> can_filters;  // can: "123:7FF"
  // mqtt
  MqttConfig mqtt;
  std::vector<std::string> topics;  // filters with + and #
  std::string form = "raw";         // "raw", "legacy"
  int stamp_offset_min = 120;       // legacy: the nodes' clock against UTC
  // nodes
  std::string air = "udp";       // "udp", "serial", "wifi"
  std::string radio_port;        // serial: where the radio hangs
  std::string radio_interface;   // wifi: "mon0"
  uint16_t air_port = 5770;      // udp
  uint32_t radio_baud = 921600;  // serial
  uint8_t channel = 0;           // 0: serial and wifi as it stands, udp none
  std::string network_file;      // "" = in the data folder
  // capture
  std::string file;
  double speed = 1.0;  // times as fast as it was recorded; 0 = as fast as possible
  bool repeat = false;
  bool original_time = true;  // readings bear the capture's times; false: the time of replay

  std::string archive = "sampled";  // accepted frames kept: "none", "sampled" (one a minute), "all"
  bool commit_each_frame = false;

  P1Config p1;
  MasterBusConfig masterbus;
  VedirectConfig vedirect;
  MedibusConfig medibus;
};

struct OutputConfig {
  std::string name;
  std::string type;  // "mqtt", "mqtt-original"
  bool enabled = true;
  MqttConfig mqtt;

  std::string base = "vesta";  // root of all topics
  bool history = true;         // <base>/history/...: every reading
  std::string send = "each";   // state topics: "each", "latest", "mean"
  uint32_t interval_s = 10;    // for latest and mean
  uint32_t in_flight = 50;     // history messages waiting for acknowledgement
  bool home_assistant = true;
  std::string discovery_prefix = "homeassistant";
  std::string discovery_form = "device";  // "device", "entity"
  std::string birth_topic = "homeassistant/status";
  bool commands = false;  // whoever may publish at the broker may set what nodes let be set
};

struct HttpConfig {
  bool enabled = true;
  std::string address = "127.0.0.1";
  uint16_t port = 8600;
  std::string cert_file;  // both set: HTTPS
  std::string key_file;
  std::string password_hash;  // argon2id, made by `vesta passwd`
  struct Token {
    std::string name;
    std::string hash;            // sha256 hex of the token
    std::string scope = "read";  // "read", "operate"
  };
  std::vector<Token> tokens;
  std::vector<std::string> allowed_hosts;  // extra names accepted in Host and Origin
};

struct StorageConfig {
  std::string directory = "/var/lib/vesta";
  std::string url;  // postgresql://...; "" = the folder alone
  Secret password;  // at that database
  double commit_s = 10;
  uint32_t commit_readings = 4096;
  // Days that readings are kept, 0 = for ever: all, and where a class of series has its own.
  uint32_t keep_days = 0;
  std::optional<uint32_t> keep_counters_days;
  std::optional<uint32_t> keep_states_days;
  std::optional<uint32_t> keep_diagnostics_days;
  // And roll-ups; days are kept for ever.
  uint32_t keep_minutes_days = 0;
  uint32_t keep_quarters_days = 0;
  uint32_t keep_hours_days = 0;
  uint64_t max_mb = 0;       // of the database, 0 = no bound
  uint32_t archive_mb = 16;  // raw frames, per source, verdict, reason and sender
};

struct DeviceConfig {
  std::string key;
  std::string name;
  std::string place;
};

// One physical device that several sources hear.
struct MergedConfig {
  struct FieldMap {
    std::string field;              // name in the merged device
    std::vector<std::string> from;  // by member; "" = this member has none
  };
  std::string key;  // [a-z0-9_-]+
  std::string name;
  std::string place;
  std::vector<std::string> members;  // keys of devices, the preferred one first
  std::vector<FieldMap> fields;
  uint32_t fallback_after_s = 60;
  uint32_t return_after_s = 60;
};

struct Config {
  std::string file;  // that it was read from, and the SHA-256 of its bytes; "" when from none
  std::string file_sha256;
  std::string hub_id = "vesta";  // [a-z0-9_-]+, part of every unique id
  std::string hub_name = "Vesta";
  std::string site_zone = "Europe/Amsterdam";
  std::vector<std::string> beds;   // names that a device may be assigned to; none: any name
  std::string log_level = "info";  // "debug", "info", "warning", "error"
  std::string keys_file;           // keys of devices, beside those given on the page; "" = none
  StorageConfig storage;
  HttpConfig http;
  std::vector<SourceConfig> sources;
  std::vector<OutputConfig> outputs;
  std::vector<DeviceConfig> devices;
  std::vector<MergedConfig> merged;
};

}  // namespace vesta::hub
