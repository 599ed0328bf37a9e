# Run by vesta_embed: INPUT becomes the C++ header OUTPUT that defines SYMBOL.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT}.new "// Made from ${INPUT}.
#pragma once

#include <string_view>

namespace vesta::hub {
inline constexpr std::string_view ${SYMBOL} = R\"vesta_embed(${text})vesta_embed\";
}
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
