// HTTPS with certificate files, against OpenSSL's own client.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>

#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

class TlsClient final : public RawClient {
 public:
  explicit TlsClient(uint16_t port, int version = 0) : RawClient(port) {
    context_ = SSL_CTX_new(TLS_client_method());
    if (version != 0) SSL_CTX_set_max_proto_version(context_, version);
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, fd());
    connected = SSL_connect(tls_) == 1;
  }
  ~TlsClient() override {
    SSL_free(tls_);
    SSL_CTX_free(context_);
  }
  bool Send(std::string_view bytes) override {
    return SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  bool connected = false;

 protected:
  ssize_t Receive(char* buffer, size_t size) override { return SSL_read(tls_, buffer, static_cast<int>(size)); }
  bool Pending() const override { return SSL_pending(tls_) > 0; }

 private:
  SSL_CTX* context_;
  SSL* tls_;
};

class TlsTest : public WebFixture {
 protected:
  TlsTest() : folder_(std::filesystem::temp_directory_path() / ("vesta_tls_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    config_.cert_file = folder_ / "cert.pem";
    config_.key_file = folder_ / "key.pem";
    MakeCertificate(config_.cert_file, config_.key_file);
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  static void MakeCertificate(const std::string& cert_file, const std::string& key_file) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* const name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    X509_sign(cert, key, EVP_sha256());
    FILE* file = std::fopen(cert_file.c_str(), "we");
    PEM_write_X509(file, cert);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "we");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
  }

  const std::filesystem::path folder_;
};

TEST_F(TlsTest, ServesHttps) {
  config_.tokens = {{"t", Sha256Hex("t"), "read"}};
  Start();
  EXPECT_TRUE(Main([&] { return server_->address(); }).starts_with("https://"));
  TlsClient client(port_);
  ASSERT_TRUE(client.connected);
  EXPECT_EQ(client.Ask(Request("GET", "/api/v1/latest", "Authorization: Bearer t\r\n")).status, 200);
  const std::string origin = "Origin: https://localhost:" + std::to_string(port_) + "\r\n";
  const RawAnswer login = client.Ask(Request("POST", "/api/v1/login", origin, R"({"token":"t"})"));
  EXPECT_EQ(login.status, 204);
  EXPECT_NE(login.headers.at("set-cookie").find("; Secure"), std::string::npos);
  EXPECT_EQ(client.Ask(Request("GET", "/api/v1/session", "Connection: close\r\n")).status, 200);
  EXPECT_TRUE(client.ReadEnd());
}

TEST_F(TlsTest, StreamsLiveOverTls) {
  Start();
  TlsClient client(port_);
  ASSERT_TRUE(client.connected);
  client.Send(Request("GET", "/api/v1/events"));
  EXPECT_TRUE(client.ReadUntil("event: outputs"));
}

TEST_F(TlsTest, RefusesPlainHttpOldProtocolsAndSilence) {
  limits_.request_timeout_us = 200 * kUsPerMs;
  limits_.sweep_us = 20 * kUsPerMs;
  Start();
  RawClient plain(port_);
  plain.Send(Request("GET", "/api/v1/session"));
  EXPECT_TRUE(plain.ReadEnd());
  EXPECT_EQ(plain.received.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_FALSE(TlsClient(port_, TLS1_1_VERSION).connected);
  RawClient silent(port_);
  EXPECT_TRUE(silent.ReadEnd());
  TlsClient good(port_);
  EXPECT_EQ(good.Ask(Request("GET", "/api/v1/session")).status, 200);
}

TEST_F(TlsTest, RefusesAKeyThatDoesNotBelongToTheCertificate) {
  MakeCertificate(folder_ / "other.pem", config_.key_file);
  auto server = WebServer::Start(io_, config_, fake_.Context(), {});
  ASSERT_FALSE(server.has_value());
  EXPECT_NE(server.error().find(config_.key_file), std::string::npos) << server.error();
}

}  // namespace
}  // namespace vesta::hub
