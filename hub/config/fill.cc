#include "hub/config/fill.h"

#include <type_traits>

namespace vesta::hub {
namespace {

using Kind = JsonNode::Kind;

constexpr uint32_t kVedirectBaud = 19200;
constexpr uint32_t kMedibusBaud = 19200;

void Get(const JsonNode& node, const char* key, std::string* out) {
  const JsonNode* value = node.Find(key);
  if (value != nullptr && value->is_text()) *out = value->text;
}

void Get(const JsonNode& node, const char* key, bool* out) {
  const JsonNode* value = node.Find(key);
  if (value != nullptr && value->kind == Kind::kBoolean) *out = value->boolean;
}

// The schema holds every number inside its type.
template <typename Number>
requires std::is_arithmetic_v<Number>
void Get(const JsonNode& node, const char* key, Number* out) {
  const JsonNode* value = node.Find(key);
  if (value == nullptr || (value->kind != Kind::kInteger && value->kind != Kind::kNumber)) return;
  *out = static_cast<Number>(value->number);
}

void Get(const JsonNode& node, const char* key, std::vector<std::string>* out) {
  const JsonNode* value = node.Find(key);
  if (value == nullptr) return;
  out->clear();
  for (const JsonNode& item : value->items) out->push_back(item.text);
}

void FillP1(const JsonNode& node, P1Config* p1) {
  Get(node, "zone", &p1->zone);
  Get(node, "tariff_rule", &p1->tariff_rule);
  Get(node, "offset_rule", &p1->offset_rule);
  Get(node, "crc", &p1->crc);
  Get(node, "check_tag", &p1->check_tag);
  Get(node, "accept_missing_crc", &p1->accept_missing_crc);
  Get(node, "strip_bit7", &p1->strip_bit7);
  Get(node, "repair_line_ends", &p1->repair_line_ends);
  Get(node, "lenient_end_mark", &p1->lenient_end_mark);
  Get(node, "max_telegram_bytes", &p1->max_telegram_bytes);
}

void FillMasterBus(const JsonNode& node, MasterBusConfig* masterbus) {
  Get(node, "read", &masterbus->read);
  Get(node, "read_every_s", &masterbus->read_every_s);
  Get(node, "read_gap_ms", &masterbus->read_gap_ms);
}

void Get(const JsonNode& node, const char* key, std::vector<uint32_t>* out) {
  const JsonNode* value = node.Find(key);
  if (value == nullptr) return;
  out->clear();
  for (const JsonNode& item : value->items) out->push_back(static_cast<uint32_t>(item.number));
}

void FillVedirect(const JsonNode& node, VedirectConfig* vedirect) {
  Get(node, "hex", &vedirect->hex);
  Get(node, "poll_s", &vedirect->poll_s);
  const JsonNode* select = node.Find("select");
  if (select == nullptr) return;
  Get(*select, "chip", &vedirect->select.chip);
  Get(*select, "lines", &vedirect->select.lines);
  Get(*select, "channels", &vedirect->select.channels);
}

void FillMedibus(const JsonNode& node, MedibusConfig* medibus) {
  Get(node, "passive", &medibus->passive);
  Get(node, "host_name", &medibus->host_name);
  Get(node, "cycle_s", &medibus->cycle_s);
  Get(node, "alarm_s", &medibus->alarm_s);
  Get(node, "response_timeout_s", &medibus->response_timeout_s);
  Get(node, "realtime_streams", &medibus->realtime_streams);
  Get(node, "assumed_family", &medibus->assumed_family);
  Get(node, "table_file", &medibus->table_file);
}

// The schema's defaults suit a smart meter. A clinical line has another speed, keeps every raw frame, and each frame is
// on the disk before it counts as received.
void ApplyMedibusDefaults(const JsonNode& node, SourceConfig* source) {
  const auto is_given = [&node](const char* key) {
    const JsonNode* value = node.Find(key);
    return value != nullptr && value->line != 0;
  };
  if (!is_given("baud")) source->baud = kMedibusBaud;
  if (!is_given("framing")) source->framing = "8E1";
  if (!is_given("archive")) source->archive = "all";
  if (!is_given("commit_each_frame")) source->commit_each_frame = true;
}

void FillNodes(const JsonNode& node, SourceConfig* source) {
  source->protocol = "nodes";
  Get(node, "air", &source->air);
  Get(node, "radio_port", &source->radio_port);
  Get(node, "radio_interface", &source->radio_interface);
  Get(node, "radio_baud", &source->radio_baud);
  Get(node, "air_port", &source->air_port);
  Get(node, "channel", &source->channel);
  Get(node, "network_file", &source->network_file);
  source->tcp_port = source->air_port;
}

void FillMqtt(const JsonNode& node, MqttConfig* mqtt) {
  Get(node, "host", &mqtt->host);
  Get(node, "port", &mqtt->port);
  Get(node, "client_id", &mqtt->client_id);
  Get(node, "username", &mqtt->username);
  Get(node, "version", &mqtt->version);
  Get(node, "keepalive_s", &mqtt->keepalive_s);
  Get(node, "tls", &mqtt->tls);
  Get(node, "ca_file", &mqtt->ca_file);
  Get(node, "cert_file", &mqtt->cert_file);
  Get(node, "key_file", &mqtt->key_file);
  Get(node, "verify_host", &mqtt->verify_host);
}

}  // namespace

void FillHub(const JsonNode& node, Config* config) {
  Get(node, "id", &config->hub_id);
  Get(node, "name", &config->hub_name);
  Get(node, "zone", &config->site_zone);
  Get(node, "log_level", &config->log_level);
  Get(node, "keys_file", &config->keys_file);
  Get(node, "beds", &config->beds);
}

void FillStorage(const JsonNode& node, StorageConfig* storage) {
  Get(node, "directory", &storage->directory);
  Get(node, "url", &storage->url);
  Get(node, "commit_s", &storage->commit_s);
  Get(node, "commit_readings", &storage->commit_readings);
  Get(node, "keep_days", &storage->keep_days);
  const std::pair<const char*, std::optional<uint32_t>*> classes[] = {
      {"keep_counters_days", &storage->keep_counters_days},
      {"keep_states_days", &storage->keep_states_days},
      {"keep_diagnostics_days", &storage->keep_diagnostics_days}};
  for (const auto& [name, days] : classes) {
    uint32_t given = UINT32_MAX;
    Get(node, name, &given);
    if (given != UINT32_MAX) *days = given;
  }
  Get(node, "keep_minutes_days", &storage->keep_minutes_days);
  Get(node, "keep_quarters_days", &storage->keep_quarters_days);
  Get(node, "keep_hours_days", &storage->keep_hours_days);
  Get(node, "max_mb", &storage->max_mb);
  Get(node, "archive_mb", &storage->archive_mb);
}

void FillHttp(const JsonNode& node, HttpConfig* http) {
  Get(node, "enabled", &http->enabled);
  Get(node, "address", &http->address);
  Get(node, "port", &http->port);
  Get(node, "cert_file", &http->cert_file);
  Get(node, "key_file", &http->key_file);
  Get(node, "allowed_hosts", &http->allowed_hosts);
  const JsonNode* tokens = node.Find("tokens");
  if (tokens == nullptr) return;
  for (const JsonNode& item : tokens->items) {
    HttpConfig::Token& token = http->tokens.emplace_back();
    Get(item, "name", &token.name);
    Get(item, "hash", &token.hash);
    Get(item, "scope", &token.scope);
  }
}

void FillSource(const JsonNode& node, const std::string& hub_zone, SourceConfig* source) {
  Get(node, "name", &source->name);
  Get(node, "type", &source->type);
  Get(node, "protocol", &source->protocol);
  Get(node, "enabled", &source->enabled);
  Get(node, "port", &source->port);  // of a serial port
  Get(node, "baud", &source->baud);
  // The schema's default is a smart meter's; a VE.Direct port has but one speed.
  const JsonNode* baud = node.Find("baud");
  const bool baud_is_default = baud == nullptr || baud->line == 0;
  if (source->protocol == "vedirect" && baud_is_default) source->baud = kVedirectBaud;
  Get(node, "framing", &source->framing);
  Get(node, "host", &source->host);
  Get(node, "port", &source->tcp_port);  // of TCP and UDP
  Get(node, "listen", &source->listen);
  Get(node, "exposed", &source->exposed);
  Get(node, "allow", &source->allow);
  Get(node, "silence_timeout_s", &source->silence_timeout_s);
  Get(node, "adapters", &source->adapters);
  Get(node, "mode", &source->mode);
  Get(node, "bitrate", &source->bitrate);
  Get(node, "listen_only", &source->listen_only);
  Get(node, "interface", &source->can_interface);
  Get(node, "filters", &source->can_filters);
  Get(node, "file", &source->file);
  Get(node, "speed", &source->speed);
  Get(node, "repeat", &source->repeat);
  Get(node, "original_time", &source->original_time);
  Get(node, "topics", &source->topics);
  Get(node, "form", &source->form);
  Get(node, "stamp_offset_min", &source->stamp_offset_min);
  if (source->type == "mqtt") FillMqtt(node, &source->mqtt);
  if (source->type == "nodes") FillNodes(node, source);
  Get(node, "archive", &source->archive);
  Get(node, "commit_each_frame", &source->commit_each_frame);
  source->p1.zone = hub_zone;
  if (const JsonNode* p1 = node.Find("p1")) FillP1(*p1, &source->p1);
  if (const JsonNode* masterbus = node.Find("masterbus")) FillMasterBus(*masterbus, &source->masterbus);
  if (const JsonNode* vedirect = node.Find("vedirect")) FillVedirect(*vedirect, &source->vedirect);
  if (const JsonNode* medibus = node.Find("medibus")) FillMedibus(*medibus, &source->medibus);
  if (source->protocol == "medibus") ApplyMedibusDefaults(node, source);
}

void FillOutput(const JsonNode& node, OutputConfig* output) {
  Get(node, "name", &output->name);
  Get(node, "type", &output->type);
  Get(node, "enabled", &output->enabled);
  FillMqtt(node, &output->mqtt);
  Get(node, "base", &output->base);
  Get(node, "history", &output->history);
  Get(node, "send", &output->send);
  Get(node, "interval_s", &output->interval_s);
  Get(node, "in_flight", &output->in_flight);
  Get(node, "home_assistant", &output->home_assistant);
  Get(node, "discovery_prefix", &output->discovery_prefix);
  Get(node, "discovery_form", &output->discovery_form);
  Get(node, "birth_topic", &output->birth_topic);
  Get(node, "commands", &output->commands);
}

void FillMerged(const JsonNode& node, MergedConfig* merged) {
  Get(node, "key", &merged->key);
  Get(node, "name", &merged->name);
  Get(node, "place", &merged->place);
  Get(node, "members", &merged->members);
  Get(node, "fallback_after_s", &merged->fallback_after_s);
  Get(node, "return_after_s", &merged->return_after_s);
  const JsonNode* const fields = node.Find("fields");
  if (fields == nullptr) return;
  for (const JsonNode& item : fields->items) {
    MergedConfig::FieldMap& map = merged->fields.emplace_back();
    Get(item, "field", &map.field);
    Get(item, "from", &map.from);
  }
}

void FillDevice(const JsonNode& node, DeviceConfig* device) {
  Get(node, "key", &device->key);
  Get(node, "name", &device->name);
  Get(node, "place", &device->place);
}

}  // namespace vesta::hub
