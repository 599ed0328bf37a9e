#include "hub/catalog/catalog.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace vesta::hub {
namespace {

TEST(Catalog, EveryFieldHasATextAndEveryTextAField) {
  for (const ProtocolEntry& protocol : Protocols()) {
    std::set<std::string_view> keys;
    for (const Field& field : protocol.fields) {
      EXPECT_TRUE(keys.insert(field.key).second) << field.key << " stands twice in the table";
      EXPECT_NE(FindFieldText(protocol.name, field.key), nullptr) << protocol.name << "/" << field.key;
    }
    for (const FieldText& text : protocol.texts) EXPECT_EQ(keys.count(text.key), 1u) << text.key << " has no field";
  }
}

TEST(Catalog, AFieldWithoutATextIsShownByItsKey) {
  EXPECT_EQ(FieldName("p1", "outer_temperature"), "Outer temperature");
}

TEST(Catalog, TitlesPreferTheUsersName) {
  Device device;
  device.kind = DeviceKind::kElectricityMeter;
  EXPECT_EQ(DeviceTitle(device), "Electricity meter");
  device.model = "M550T";
  EXPECT_EQ(DeviceTitle(device), "Electricity meter M550T");
  device.name = "House";
  EXPECT_EQ(DeviceTitle(device), "House");
}

// The page in docs/ is the generated one. VESTA_WRITE_DOCS=1 writes it anew (`./dev docs`).
TEST(Catalog, TheFieldPagesAreTrue) {
  for (const ProtocolEntry& protocol : Protocols()) {
    const std::string path = std::string(VESTA_SOURCE_DIR "/docs/protocols/") + std::string(protocol.name) + ".md";
    const std::string page = FieldTableMarkdown(protocol);
    if (std::getenv("VESTA_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), page) << path << " is out of date: run ./dev docs";
  }
}

}  // namespace
}  // namespace vesta::hub
