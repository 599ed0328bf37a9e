#include "app/listening_line.h"

namespace vesta::app {

void ListeningLine::Opened() {
  ever_opened_ = true;
  last_error_.clear();
  if (changed) changed("", false);
}

void ListeningLine::Closed(std::string_view why, bool failed) {
  const bool news = last_error_ != why;
  last_error_ = why;
  if (changed && news) changed(why, failed);
}

}  // namespace vesta::app
