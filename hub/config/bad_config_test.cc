// Wrong configurations with the exact words that a user gets to read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/config/load.h"

namespace vesta::hub {
namespace {

std::optional<std::string> NoEnvironment(const std::string&) { return std::nullopt; }

// The messages, one a line.
std::string Complaints(std::string_view text) {
  std::string all;
  for (const ConfigProblem& problem : LoadConfig(text, "/etc/vesta", NoEnvironment).problems) {
    all += FormatProblem("v", problem) + "\n";
  }
  return all;
}

struct Case {
  const char* name;
  const char* text;
  const char* complaints;
};

void PrintTo(const Case& bad, std::ostream* out) { *out << bad.name; }

class BadConfig : public testing::TestWithParam<Case> {};

TEST_P(BadConfig, IsExplained) { EXPECT_EQ(Complaints(GetParam().text), GetParam().complaints); }

constexpr Case kSyntax[] = {
    {"Empty", "", "v:1:1: the file is empty (allowed: an object in { and })\n"},
    {"CommentsOnly", "// nothing\n/* at all */\n", "v:3:1: the file is empty (allowed: an object in { and })\n"},
    {"TrailingCommaInObject", "{\n  \"hub\": {},\n}",
     "v:3:1: a comma before '}' (allowed: no comma behind the last entry)\n"},
    {"TrailingCommaInList", "{\"sources\": [ // none\n , ]}",
     "v:2:4: a comma too many: nothing stands between it and what is before\n"},
    {"TrailingCommaBehindEntry", "{\"sources\": [1,\n  ]}",
     "v:2:3: a comma before ']' (allowed: no comma behind the last entry)\n"},
    {"TwoCommas", "{\"hub\": {},, \"http\": {}}",
     "v:1:12: a comma too many: nothing stands between it and what is before\n"},
    {"MissingComma", "{\n  \"hub\": {}\n  \"http\": {}\n}", "v:3:3: a ',' is missing before this\n"},
    {"MissingCommaInList", "{\"sources\": [{} {}]}", "v:1:17: a ',' is missing before this\n"},
    {"MissingColon", "{\"hub\" {}}", "v:1:8: '{' is not expected here\n"},
    {"MissingValue", "{\"hub\": }", "v:1:9: the key has no value\n"},
    {"UnclosedObject", "{\n \"hub\": {\"id\": \"a\"\n",
     "v:3:1: the file ends, but the object of line 2 column 9 has no end (allowed: a } for each {)\n"},
    {"UnclosedList", "{\"sources\": [",
     "v:1:14: the file ends, but the list of line 1 column 13 has no end (allowed: a ] for each [)\n"},
    {"UnclosedText", "{\"hub\": {\"id\": \"a}}\n}", "v:1:16: this text has no closing double quote on its line\n"},
    {"UnclosedComment", "{} /* forgotten\n\n", "v:1:4: this comment has no end (allowed: */ at its end)\n"},
    {"HashComment", "{\n# home\n}",
     "v:2:1: a comment that begins with # (allowed: comments are // to the end of the "
     "line or /* */)\n"},
    {"SingleQuotes", "{'hub': {}}", "v:1:2: a text in single quotes (allowed: double quotes)\n"},
    {"BareKey", "{hub: {}}", "v:1:2: a key without double quotes (allowed: keys and texts stand in double quotes)\n"},
    {"BareWord", "{\"http\": {\"enabled\": yes}}",
     "v:1:22: this is no value (allowed: a text in double quotes, a number such as 10 or 0.5, true, false, null)\n"},
    {"LeadingZero", "{\"http\": {\"port\": 080}}",
     "v:1:20: this does not belong to the value before it (allowed: 10 and 0.5, not 010 or 5.; true, not True or "
     "trueish)\n"},
    {"NumberWithoutDigits", "{\"http\": {\"port\": .5}}",
     "v:1:19: a number that is not written as JSON wants it (allowed: digits without a 0 in front, at most one point: "
     "10 or 0.5)\n"},
    {"TooManyLetters", "{\"http\": {\"enabled\": truely}}",
     "v:1:26: this does not belong to the value before it (allowed: 10 and 0.5, not 010 or 5.; true, not True or "
     "trueish)\n"},
    {"HugeNumber", "{\"http\": {\"port\": 1e999}}", "v:1:19: this number is too large\n"},
    {"WrongEscape", "{\"hub\": {\"name\": \"a\\x\"}}",
     "v:1:21: a wrong escape inside a text (allowed: \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex "
     "digits)\n"},
    {"Tab", "{\"hub\": {\"name\": \"a\tb\"}}",
     "v:1:20: a control character inside a text (allowed: \\t, \\n, ... instead)\n"},
    {"NotUtf8", "{\"hub\": {\"name\": \"a\xE9\"}}", "v:1:20: bytes inside a text that are not UTF-8\n"},
    {"TwoObjects", "{}\n{}",
     "v:2:1: something follows after the end of the configuration (allowed: one object in { "
     "and })\n"},
    {"ColumnsAreCharacters", "{\"hub\": {\"name\": \"\xC3\xB6\xE2\x82\xAC\" \"x\"}}",
     "v:1:23: a ',' is missing before this\n"},
};
INSTANTIATE_TEST_SUITE_P(Syntax, BadConfig, testing::ValuesIn(kSyntax),
                         [](const auto& instance) { return std::string(instance.param.name); });

constexpr Case kSchema[] = {
    {"NotAnObject", "[]", "v:1:1: this is a list (allowed: an object in { and })\n"},
    {"UnknownKey", "{\"hub\": {\n  \"Nme\": \"a\"}}",
     "v:2:3: hub: unknown key \"Nme\"; did you mean name? (allowed: id, name, zone, log_level, keys_file, beds)\n"},
    {"UnknownKeyWithoutSuggestion", "{\"hub\": {\"colour\": 1}}",
     "v:1:10: hub: unknown key \"colour\" (allowed: id, name, zone, log_level, keys_file, beds)\n"},
    {"DuplicateKey", "{\"hub\": {\"id\": \"a\",\n \"id\": \"b\"}}",
     "v:2:2: hub.id: the key \"id\" stands here again, first in line 1 (allowed: each key once)\n"},
    {"WrongKind", "{\"http\": {\"port\": \"8600\"}}",
     "v:1:19: http.port: this is a text (allowed: a whole number from 1 to 65535)\n"},
    {"NumberWithPoint", "{\"http\": {\"port\": 80.5}}",
     "v:1:19: http.port: this is a number with a point (allowed: a whole number from 1 to 65535)\n"},
    {"NumberAsBoolean", "{\"http\": {\"enabled\": 1}}",
     "v:1:22: http.enabled: this is a whole number (allowed: true or false)\n"},
    {"TooLarge", "{\"http\": {\"port\": 70000}}",
     "v:1:19: http.port: 70000 is too large (allowed: a whole number from 1 to 65535)\n"},
    {"PasswordInDatabaseUrl", "{\"storage\": {\"url\": \"postgres://u:p@h/d\"}}",
     "v:1:21: storage.url: it holds a password (allowed: a URL without one, and password_file beside it)\n"},
    {"TooSmall", "{\"storage\": {\"commit_s\": 0.01}}",
     "v:1:26: storage.commit_s: 0.01 is too small (allowed: a number from 0.1 to 600)\n"},
    {"WrongPattern", "{\"hub\": {\"id\": \"My House\"}}",
     "v:1:16: hub.id: \"My House\" has not the right form (allowed: 1 to 32 characters out of a-z, 0-9, _ and -)\n"},
    {"EmptyText", "{\"hub\": {\"name\": \"\"}}",
     "v:1:18: hub.name: this text is empty (allowed: a text of 1 to 64 characters)\n"},
    {"WrongChoice", "{\"hub\": {\"log_level\": \"warn\"}}",
     "v:1:23: hub.log_level: \"warn\" is not one of the allowed values (allowed: debug, info, warning, error)\n"},
    {"MissingType", "{\"sources\": [{\"name\": \"a\"}]}",
     "v:1:14: sources[0].type: \"type\" is missing (allowed: serial, tcp, tcp-listen, udp, bluetooth, slcan, can, "
     "can-udp, mqtt, nodes, capture)\n"},
    {"WrongType", "{\"sources\": [{\"name\": \"a\", \"type\": \"seriel\"}]}",
     "v:1:36: sources[0].type: \"seriel\" is not one of the allowed values; did you mean serial? (allowed: serial, "
     "tcp, tcp-listen, udp, bluetooth, slcan, can, can-udp, mqtt, nodes, capture)\n"},
    {"MissingKeys", "{\"sources\": [\n  {\"name\": \"a\", \"type\": \"tcp\"}]}",
     "v:2:3: sources[0].protocol: \"protocol\" is missing (allowed: p1, victron, vedirect, medibus, masterbus)\n"
     "v:2:3: sources[0].host: \"host\" is missing (allowed: a host name or an IP address, without tcp:// and without "
     "the port)\n"
     "v:2:3: sources[0].port: \"port\" is missing (allowed: a whole number from 1 to 65535)\n"},
    {"BaudAsText",
     "{\"sources\": [{\"name\": \"a\", \"type\": \"serial\", \"protocol\": \"p1\", \"port\": \"/dev/a\", \"baud\": "
     "\"115200\"}]}",
     "v:1:90: sources[0].baud: \"115200\" is not one of the allowed values; did you mean 115200? (allowed: 300, 600, "
     "1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)\n"},
    {"UrlAsHost", "{\"outputs\": [{\"name\": \"a\", \"type\": \"mqtt\", \"host\": \"mqtt://broker\"}]}",
     "v:1:52: outputs[0].host: \"mqtt://broker\" has not the right form (allowed: a host name or an IP address, "
     "without mqtt:// and without the port)\n"},
    {"WildcardTopic", "{\"outputs\": [{\"name\": \"a\", \"type\": \"mqtt\", \"base\": \"home/#\"}]}",
     "v:1:52: outputs[0].base: \"home/#\" has not the right form (allowed: a topic without wildcards (+ and #) and "
     "blanks, without / at either end and without $ in front)\n"},
    {"TokenInsteadOfHash", "{\"http\": {\"tokens\": [{\"name\": \"a\", \"hash\": \"secret\"}]}}",
     "v:1:44: http.tokens[0].hash: this text has 6 characters (allowed: 64 hex digits in lower case (SHA-256 of the "
     "token, never the token itself))\n"},
};
INSTANTIATE_TEST_SUITE_P(Schema, BadConfig, testing::ValuesIn(kSchema),
                         [](const auto& instance) { return std::string(instance.param.name); });

#define SERIAL(NAME, PORT, REST) \
  "{\"name\": \"" NAME "\", \"type\": \"serial\", \"protocol\": \"p1\", \"port\": \"" PORT "\"" REST "}"
#define LISTENER(REST) "{\"name\": \"a\", \"type\": \"tcp-listen\", \"protocol\": \"p1\", \"port\": 2000,\n" REST "}"
#define KEY(TEXT) "{\"sources\": [" SERIAL("a", "/dev/a", ",\n\"p1\": {\"encryption_key\": \"" TEXT "\"}") "]}"

constexpr Case kRules[] = {
    {"SameNameTwice", "{\"sources\": [\n" SERIAL("a", "/dev/a", "") ",\n" SERIAL("a", "/dev/b", "") "]}",
     "v:3:10: sources[1].name: the source \"a\" is used twice, first in line 2 (allowed: each once)\n"},
    {"SamePortTwice", "{\"sources\": [\n" SERIAL("a", "/dev/a", "") ",\n" SERIAL("b", "/dev/a", "") "]}",
     "v:3:59: sources[1].port: the serial port \"/dev/a\" is used twice, first in line 2 (allowed: each once)\n"},
    {"StreamOverDatagrams", "{\"sources\": [{\"name\": \"a\", \"type\": \"bluetooth\", \"protocol\": \"p1\"}]}",
     "v:1:61: sources[0].protocol: p1 does not come over a source of type bluetooth (allowed: the type serial, tcp, "
     "tcp-listen or capture)\n"},
    {"DatagramsOverAStream",
     "{\"sources\": [{\"name\": \"a\", \"type\": \"serial\", \"port\": \"/dev/a\", \"protocol\": \"victron\"}]}",
     "v:1:76: sources[0].protocol: victron does not come over a source of type serial (allowed: the type bluetooth, "
     "udp or capture)\n"},
    {"ExposedDatagrams",
     "{\"sources\": [{\"name\": \"a\", \"type\": \"udp\", \"port\": 1, \"protocol\": \"victron\", \"listen\": "
     "\"0.0.0.0\"}]}",
     "v:1:87: sources[0].listen: 0.0.0.0 can be reached from other computers, and the sender does not log in (allowed: "
     "127.0.0.1, or \"exposed\": true and the senders in \"allow\")\n"},
    {"OpenPageWithoutLogin", "{\"http\": {\"address\": \"0.0.0.0\"}}",
     "v:1:22: http.address: 0.0.0.0 can be reached from other computers, but nobody has to log in (allowed: "
     "127.0.0.1, or a password_hash (made by `vesta passwd`) or a token beside it)\n"},
    {"NameAsAddress", "{\"http\": {\"address\": \"localhost\"}}",
     "v:1:22: http.address: this is no IP address (allowed: an IP address such as 127.0.0.1, ::1 or 0.0.0.0)\n"},
    {"CertificateWithoutKey", "{\"http\": {\"cert_file\": \"/dev/null\"}}",
     "v:1:24: http.cert_file: \"key_file\" is missing beside this (allowed: both or none)\n"},
    {"OpenListenerWithoutSwitch", "{\"sources\": [" LISTENER("\"listen\": \"192.168.1.2\"") "]}",
     "v:2:11: sources[0].listen: 192.168.1.2 can be reached from other computers, and the sender does not log in "
     "(allowed: 127.0.0.1, or \"exposed\": true and the senders in \"allow\")\n"},
    {"OpenListenerWithoutList", "{\"sources\": [" LISTENER("\"listen\": \"::\", \"exposed\": true") "]}",
     "v:2:28: sources[0].exposed: the list of senders that may connect is missing (allowed: \"allow\" with addresses "
     "or networks, for instance [\"192.168.1.0/24\"])\n"},
    {"HostBitsInNetwork", "{\"sources\": [" LISTENER("\"allow\": [\"192.168.1.20/24\"]") "]}",
     "v:2:11: sources[0].allow[0]: this is neither an IP address nor a network (allowed: for instance 192.168.1.20 or "
     "192.168.1.0/24, no bits set behind the prefix)\n"},
    {"EveryoneMayConnect", "{\"sources\": [" LISTENER("\"allow\": [\"0.0.0.0/0\"]") "]}",
     "v:2:11: warning: sources[0].allow[0]: this lets every computer connect (allowed: the addresses of the "
     "senders)\n"},
    {"KeyTooShort", KEY("00112233445566778899AABBCCDDEEF"),
     "v:2:26: sources[0].p1.encryption_key: this key has 31 characters: 31 hex digits (allowed: 32 hex digits, nothing "
     "between them)\n"},
    {"KeyWithBlanks", KEY("00112233 44556677 8899AABB CCDDEEFF "),
     "v:2:26: sources[0].p1.encryption_key: this key has 36 characters: 32 hex digits, 4 blanks (allowed: 32 hex "
     "digits, nothing between them)\n"},
    {"KeyInQuotes", KEY("'00112233445566778899AABBCCDDEEFF'"),
     "v:2:26: sources[0].p1.encryption_key: this key has 34 characters: 32 hex digits, 2 quotes (allowed: 32 hex "
     "digits, nothing between them)\n"},
    {"KeyWithLetters", KEY("O0112233445566778899AABBCCDDEEFF"),
     "v:2:26: sources[0].p1.encryption_key: this key has 32 characters: 31 hex digits, 1 that are no hex digits (the "
     "first is character 1) (allowed: 32 hex digits, nothing between them)\n"},
    {"KeyTwice", KEY("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"),
     "v:2:26: sources[0].p1.encryption_key: this key has 64 characters: 64 hex digits; that is twice as long: two "
     "keys, or hex of hex? (allowed: 32 hex digits, nothing between them)\n"},
    {"CertificatesWithoutTls", "{\"outputs\": [{\"name\": \"a\", \"type\": \"mqtt\", \"ca_file\": \"/dev/null\"}]}",
     "v:1:55: outputs[0].ca_file: certificates are given, but the connection is not encrypted (allowed: \"tls\": true "
     "beside them)\n"},
    {"CertificateThatIsNotThere",
     "{\"outputs\": [{\"name\": \"a\", \"type\": \"mqtt\", \"tls\": true, \"ca_file\": \"nothing.pem\"}]}",
     "v:1:68: warning: outputs[0].ca_file: /etc/vesta/nothing.pem: No such file or directory (allowed: a file that the "
     "hub may read)\n"},
    {"PasswordWithoutName", "{\"outputs\": [{\"name\": \"a\", \"type\": \"mqtt\", \"password\": \"x\"}]}",
     "v:1:14: outputs[0]: a password without a username (allowed: \"username\" beside it)\n"},
    {"SameDeviceTwice", "{\"devices\": [{\"key\": \"a\"}, {\"key\": \"a\"}]}",
     "v:1:36: devices[1].key: the device \"a\" is used twice, first in line 1 (allowed: each once)\n"},
    {"MergedAlone", R"({"merged": [{"key": "house", "members": ["a"]}]})",
     "v:1:41: merged[0].members: there is nothing to merge (allowed: at least two keys of devices)\n"},
    {"MergedFieldOfOneMember",
     R"({"merged": [{"key": "h", "members": ["a", "b"], "fields": [{"field": "v", "from": ["v"]}]}]})",
     "v:1:83: merged[0].fields[0].from: 1 names for 2 members (allowed: one for each member, an empty text where it "
     "has none)\n"},
};
INSTANTIATE_TEST_SUITE_P(Rules, BadConfig, testing::ValuesIn(kRules),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace vesta::hub
