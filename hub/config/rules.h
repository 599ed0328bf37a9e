// What a schema cannot say: addresses, who may be listened to, names used twice, files that must be there.
//
// Each function looks at one part that the schema has found right, and adds what it finds.
#pragma once

#include <map>
#include <string>

#include "hub/config/config.h"
#include "hub/config/json_tree.h"

namespace vesta::hub {

class Rules {
 public:
  explicit Rules(ProblemList* problems) : problems_(problems) {}

  void CheckStorage(const JsonNode& node, const StorageConfig& storage);
  void CheckHttp(const JsonNode& node, const HttpConfig& http);
  void CheckSource(const JsonNode& node, const std::string& path, const SourceConfig& source);
  void CheckOutput(const JsonNode& node, const std::string& path, const OutputConfig& output);
  void CheckMerged(const JsonNode& node, const std::string& path, const MergedConfig& merged);
  void CheckDevice(const JsonNode& node, const std::string& path, const DeviceConfig& device);

 private:
  void CheckListener(const JsonNode& node, const std::string& path, const SourceConfig& source, const char* transport,
                     const char* port_key = "port");
  void CheckAir(const JsonNode& node, const std::string& path, const SourceConfig& source);
  void CheckProtocol(const JsonNode& node, const std::string& path, const SourceConfig& source);
  void CheckSelect(const JsonNode& node, const std::string& path, const SourceConfig& source);
  void CheckTopics(const JsonNode& node, const std::string& path, const SourceConfig& source);
  void CheckBroker(const JsonNode& node, const std::string& path, const MqttConfig& mqtt);
  void CheckFilePair(const JsonNode& node, const std::string& path, const std::string& cert_file,
                     const std::string& key_file);
  void CheckReadable(const JsonNode& node, const std::string& path, const std::string& key, const std::string& file);
  // The first of those that share a value is right, the later ones are not.
  void CheckUnique(const JsonNode& node, const std::string& path, const std::string& key, const std::string& value,
                   const char* group);
  void Report(const JsonNode& object, const std::string& path, const std::string& key, std::string what,
              std::string allowed, bool fatal = true);

  ProblemList* problems_;
  std::map<std::string, int> lines_;  // "group value" -> line of its first use
};

}  // namespace vesta::hub
