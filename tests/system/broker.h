// A real MQTT broker for a test, and a client that remembers everything that was published.
#pragma once

#include <mosquitto.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/system/hub_process.h"

namespace vesta::test {

class Broker {
 public:
  Broker(const std::string& directory, uint16_t port) {
    const std::string config = directory + "/mosquitto.conf";
    std::ofstream(config) << "listener " << port << " 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n";
    pid_ = fork();
    if (pid_ == 0) {
      execlp("mosquitto", "mosquitto", "-c", config.c_str(), nullptr);
      execl("/usr/sbin/mosquitto", "mosquitto", "-c", config.c_str(), nullptr);
      _exit(127);
    }
  }
  ~Broker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

 private:
  pid_t pid_;
};

class MqttClient {
 public:
  MqttClient() : client_((mosquitto_lib_init(), mosquitto_new(nullptr, true, this))) {
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      MqttClient& client = *static_cast<MqttClient*>(self);
      const std::lock_guard<std::mutex> guard(client.mutex_);
      client.all_[message->topic].emplace_back(static_cast<const char*>(message->payload),
                                               static_cast<size_t>(message->payloadlen));
    });
    mosquitto_connect_callback_set(client_,
                                   [](mosquitto* client, void*, int) { mosquitto_subscribe(client, nullptr, "#", 1); });
  }
  ~MqttClient() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, true);
    mosquitto_destroy(client_);
  }
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  bool Start(uint16_t port) {
    return WaitFor([&] { return mosquitto_connect(client_, "127.0.0.1", port, 60) == MOSQ_ERR_SUCCESS; }) &&
           mosquitto_loop_start(client_) == MOSQ_ERR_SUCCESS;
  }
  void Publish(const std::string& topic, const std::string& payload, bool retain = false) {
    mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1, retain);
  }
  std::vector<std::string> On(const std::string& topic) {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto found = all_.find(topic);
    return found == all_.end() ? std::vector<std::string>() : found->second;
  }
  // Topics with something in them.
  std::vector<std::string> Topics() {
    const std::lock_guard<std::mutex> guard(mutex_);
    std::vector<std::string> topics;
    for (const auto& [topic, payloads] : all_) topics.push_back(topic);
    return topics;
  }

 private:
  mosquitto* client_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> all_;
};

}  // namespace vesta::test
