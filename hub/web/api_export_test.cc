// A long answer through the server: all of it, in pieces, and what was cut off says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

using testing::EndsWith;

class ApiExportTest : public WebFixture {};

TEST_F(ApiExportTest, StreamsAllOfIt) {
  fake_.export_lines = 200000;
  Start();
  const RawAnswer answer = Get("/api/v1/export");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-disposition"), "attachment; filename=\"fake.csv\"");
  EXPECT_EQ(answer.headers.at("transfer-encoding"), "chunked");
  EXPECT_GT(fake_.queries, 20) << "the reading thread is given back between the pieces";
}

TEST_F(ApiExportTest, WhatIsCutOffSaysSo) {
  fake_.reader.failing = "the disk is gone";
  Start();
  const RawAnswer answer = Get("/api/v1/export");
  EXPECT_THAT(answer.body, EndsWith("#error the disk is gone\n"));
}

TEST_F(ApiExportTest, WhatIsBeingMadeIsNotSentBeforeItIsDone) {
  fake_.slow_queries = true;
  Start();
  const RawAnswer answer = Get("/api/v1/export?format=slow");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "a piece\na piece\na piece\n");
  EXPECT_FALSE(fake_.touched);
}

}  // namespace
}  // namespace vesta::hub
