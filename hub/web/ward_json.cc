#include "hub/web/ward_json.h"

namespace vesta::hub {

void WriteStay(JsonWriter& json, const Directory& directory, const BedStay& stay) {
  const Device* const device = directory.FindDevice(stay.device);
  json.BeginObject().Key("id").Integer(stay.id).Key("device").Text(device == nullptr ? "" : device->key);
  json.Key("bed").Text(stay.bed).Key("begin").Time(stay.begin_us).Key("end").Time(stay.end_us);
  json.Key("by").Text(stay.by).EndObject();
}

void WriteBed(JsonWriter& json, const BedStay* stay) {
  if (stay == nullptr) {
    json.Null();
    return;
  }
  json.BeginObject().Key("bed").Text(stay->bed).Key("begin").Time(stay->begin_us).Key("end").Time(stay->end_us);
  json.EndObject();
}

}  // namespace vesta::hub
