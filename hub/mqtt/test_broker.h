// A real mosquitto for tests: own port, own folder, can be restarted, killed, frozen; and a plain client to watch it.
//
// For tests only, header only. The broker keeps nothing on disk unless persistence is asked for.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hub/config/config.h"

namespace vesta::hub::mqtt {

// Longest that a test waits for something that must come.
inline constexpr auto kTestPatience = std::chrono::seconds(20);

// Runs the loop until something is so. False: it did not come about.
inline bool RunUntil(boost::asio::io_context& io, const std::function<bool()>& so,
                     std::chrono::milliseconds patience = kTestPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(10));
  }
  return true;
}

inline void RunFor(boost::asio::io_context& io, std::chrono::milliseconds time) {
  RunUntil(
      io, [] { return false; }, time);
}

// A port that nobody listens on at this moment.
inline uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

inline bool PortAnswers(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const bool answers = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return answers;
}

class TestBroker {
 public:
  struct Options {
    bool tls = false;
    bool client_certificate = false;  // wanted, with tls
    std::string username = "";        // set: no anonymous login
    std::string password = "";
    bool persistence = false;
    std::string extra = "";  // lines of mosquitto.conf
  };

  TestBroker() : TestBroker(Options{}) {}
  explicit TestBroker(Options options) : options_(std::move(options)), port_(FreePort()) {
    char name[] = "/tmp/vesta-broker-XXXXXX";
    folder_ = mkdtemp(name);
    if (options_.tls) MakeCertificates();
    WriteConfiguration();
    Start();
  }
  ~TestBroker() {
    Kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;

  uint16_t port() const { return port_; }
  std::string File(const std::string& name) const { return (folder_ / name).string(); }

  // A configuration that can connect.
  MqttConfig Config() const {
    MqttConfig config;
    config.host = options_.tls ? "localhost" : "127.0.0.1";
    config.port = port_;
    config.keepalive_s = 30;
    config.username = options_.username;
    config.password = Secret(options_.password);
    config.tls = options_.tls;
    if (options_.tls) config.ca_file = File("ca.pem");
    if (options_.client_certificate) {
      config.cert_file = File("client.pem");
      config.key_file = File("client.key");
    }
    return config;
  }

  void Start() {
    pid_ = fork();
    if (pid_ == 0) {
      const int log = open(File("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(log, 1);
      dup2(log, 2);
      // Debian keeps the broker out of a user's path.
      execlp("mosquitto", "mosquitto", "-c", File("conf").c_str(), nullptr);
      execl("/usr/sbin/mosquitto", "mosquitto", "-c", File("conf").c_str(), nullptr);
      _exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
    while (!PortAnswers(port_)) {
      ASSERT_EQ(waitpid(pid_, nullptr, WNOHANG), 0) << "mosquitto did not start: " << Log();
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "mosquitto does not listen";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void Kill() { End(SIGKILL); }
  void Terminate() { End(SIGTERM); }
  void Restart() {
    Kill();
    Start();
  }
  // Frozen: the connection stands, nobody answers.
  void Pause() { kill(pid_, SIGSTOP); }
  void Resume() { kill(pid_, SIGCONT); }

  std::string Log() const {
    std::ifstream file(File("log"));
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  void End(int how) {
    if (pid_ <= 0) return;
    kill(pid_, how);
    // A frozen broker must not do anything more before it is killed; to end by itself it must thaw.
    if (how != SIGKILL) kill(pid_, SIGCONT);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  void Run(const std::string& command) {
    const std::string quiet = "cd " + folder_.string() + " && " + command + " >>openssl.log 2>&1";
    ASSERT_EQ(std::system(quiet.c_str()), 0) << command;
  }

  void MakeCertificates() {
    const std::string key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
    for (const std::string ca : {"ca", "other-ca"}) {
      Run(key + "-x509 -days 2 -subj /CN=" + ca + " -keyout " + ca + ".key -out " + ca + ".pem");
    }
    std::ofstream(File("san")) << "subjectAltName=DNS:localhost\n";
    const auto issue = [&](const std::string& name, const std::string& subject, const std::string& ca) {
      Run(key + "-subj /CN=" + subject + " -keyout " + name + ".key -out " + name + ".csr");
      Run("openssl x509 -req -days 2 -in " + name + ".csr -CA " + ca + ".pem -CAkey " + ca +
          ".key -CAcreateserial -extfile san -out " + name + ".pem");
    };
    issue("server", "localhost", "ca");
    issue("client", "hub", "ca");
    issue("stranger", "stranger", "other-ca");
  }

  void WriteConfiguration() {
    std::ofstream conf(File("conf"));
    // "user root" only matters to a test that root runs: the broker would change its user and lose its folder.
    conf << "listener " << port_ << " 127.0.0.1\nuser root\nmax_queued_messages 1000000\nlog_type all\n";
    if (options_.tls) {
      conf << "cafile " << File("ca.pem") << "\ncertfile " << File("server.pem") << "\nkeyfile " << File("server.key")
           << "\n";
      if (options_.client_certificate) conf << "require_certificate true\n";
    }
    if (options_.username.empty()) {
      conf << "allow_anonymous true\n";
    } else {
      std::ofstream(File("users")) << options_.username << ":" << options_.password << "\n";
      Run("mosquitto_passwd -U users");
      conf << "allow_anonymous false\npassword_file " << File("users") << "\n";
    }
    if (options_.persistence) {
      conf << "persistence true\nautosave_interval 1\npersistence_location " << folder_.string() << "/\n";
    }
    conf << options_.extra << "\n";
  }

  Options options_;
  uint16_t port_;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

// Subscribes like any other program would, on a thread of its own, and keeps what it gets.
class TestClient {
 public:
  struct Message {
    std::string topic;
    std::string payload;
    int qos = 0;
    bool retained = false;  // delivered because it was retained
  };

  // With a session name the broker keeps what comes while this client or the link is away.
  explicit TestClient(const TestBroker& broker, std::vector<std::string> filters, const std::string& session = "")
      : filters_(std::move(filters)) {
    mosquitto_lib_init();
    client_ = mosquitto_new(session.empty() ? nullptr : session.c_str(), session.empty(), this);
    mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
    const MqttConfig config = broker.Config();
    if (!config.username.empty()) {
      mosquitto_username_pw_set(client_, config.username.c_str(), config.password.Reveal().c_str());
    }
    if (config.tls) {
      const auto or_null = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
      mosquitto_tls_set(client_, config.ca_file.c_str(), nullptr, or_null(config.cert_file), or_null(config.key_file),
                        nullptr);
    }
    mosquitto_connect_callback_set(client_, [](mosquitto* m, void* user, int rc) {
      auto* self = static_cast<TestClient*>(user);
      if (rc != 0) return;
      for (const std::string& filter : self->filters_) mosquitto_subscribe(m, nullptr, filter.c_str(), 1);
    });
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* user, int, int, const int*) {
      auto* self = static_cast<TestClient*>(user);
      std::lock_guard lock(self->mutex_);
      ++self->granted_;
    });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* user, const mosquitto_message* m) {
      auto* self = static_cast<TestClient*>(user);
      std::lock_guard lock(self->mutex_);
      self->messages_.push_back(
          {m->topic, {static_cast<const char*>(m->payload), static_cast<size_t>(m->payloadlen)}, m->qos, m->retain});
    });
    mosquitto_reconnect_delay_set(client_, 1, 1, false);
    mosquitto_connect(client_, config.host.c_str(), config.port, 60);
    mosquitto_loop_start(client_);
    WaitUntilSubscribed(1);
  }
  ~TestClient() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, true);
    mosquitto_destroy(client_);
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // times: 2 after the broker was restarted once, and so on.
  void WaitUntilSubscribed(size_t times) {
    const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
    while (granted() < times * filters_.size()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the test's client cannot subscribe";
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  size_t granted() const {
    std::lock_guard lock(mutex_);
    return granted_;
  }

  void Publish(const std::string& topic, const std::string& payload, bool retain = false) {
    mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1, retain);
  }

  std::vector<Message> messages() const {
    std::lock_guard lock(mutex_);
    return messages_;
  }
  void Forget() {
    std::lock_guard lock(mutex_);
    messages_.clear();
  }
  size_t Count(const std::string& topic) const {
    std::lock_guard lock(mutex_);
    size_t count = 0;
    for (const Message& m : messages_) count += m.topic == topic ? 1 : 0;
    return count;
  }
  // Newest payload of a topic; "" when there was none.
  std::string Newest(const std::string& topic) const {
    std::lock_guard lock(mutex_);
    for (auto m = messages_.rbegin(); m != messages_.rend(); ++m) {
      if (m->topic == topic) return m->payload;
    }
    return "";
  }

 private:
  std::vector<std::string> filters_;
  mosquitto* client_ = nullptr;
  mutable std::mutex mutex_;
  std::vector<Message> messages_;
  size_t granted_ = 0;
};

}  // namespace vesta::hub::mqtt
