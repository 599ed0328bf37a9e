// The page's files as they are built into the program: a table that the dashboard's build generates.
//
// generated/dashboard_assets.cc defines DashboardAssets(). Without it (a build without the page) the empty one in
// assets.cc stands in: that one is weak, so the generated file must be linked as an object, or its library must come
// before the web room's.
#pragma once

#include <span>
#include <string_view>

namespace vesta::hub {

struct Asset {
  std::string_view path;          // "/index.html", "/assets/app-3f2a.js"
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view bytes;         // gzip
  std::string_view etag;          // "\"3f2a…\"", with the quotes; changes with the bytes
};

std::span<const Asset> DashboardAssets();

}  // namespace vesta::hub
