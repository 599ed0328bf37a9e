// "Did you mean ...?": the candidate that a mistyped word probably stands for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vesta::hub {

// The nearest candidate by edit distance (a swap of neighbours counts one, case counts nothing), or "" when none is
// near enough: at most a third of the word may be wrong.
std::string Suggest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace vesta::hub
