#!/usr/bin/env python3
"""bluetoothd as the tests play it, on the bus of DBUS_SYSTEM_BUS_ADDRESS.

It has the objects, properties, signals and errors of BlueZ 5.66 that scanning meets, and no more. A test steers it by
lines on standard input; each is answered by "done", and what a client does is told as it happens:

  adapter hci0 00:11:22:33:44:55 [passive] [off] [denied]     remove hci0          power hci0 on|off
  advert hci0 AA:BB:CC:DD:EE:FF RSSI COMPANY HEX [NAME]       cached hci0 AA:BB:CC:DD:EE:FF COMPANY HEX
  repeat hci0 AA:BB:CC:DD:EE:FF COUNT COMPANY                 release hci0         leave / return (the name org.bluez)

  told: "discovery hci0 le True", "monitor hci0 or_patterns 0 255 e102", "unmonitor hci0"
"""
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"
ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
MONITORS = "org.bluez.AdvertisementMonitorManager1"
MONITOR = "org.bluez.AdvertisementMonitor1"

objects = {}  # path -> Thing


def tell(line):
    print(line, flush=True)


class Fault(dbus.DBusException):
    def __init__(self, name, text):
        super().__init__(text)
        self._dbus_error_name = name


class Thing(dbus.service.Object):
    def __init__(self, bus, path, interfaces):
        super().__init__(bus, path)
        self.path, self.interfaces = path, interfaces
        objects[path] = self
        root.InterfacesAdded(path, interfaces)

    @dbus.service.signal(PROPERTIES, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, invalidated):
        pass

    def change(self, interface, changed):
        self.interfaces[interface].update(changed)
        self.PropertiesChanged(interface, changed, [])

    def drop(self):
        del objects[self.path]
        self.remove_from_connection()
        root.InterfacesRemoved(self.path, list(self.interfaces))


class Root(dbus.service.Object):
    @dbus.service.method(MANAGER, out_signature="a{oa{sa{sv}}}")
    def GetManagedObjects(self):
        return {path: thing.interfaces for path, thing in objects.items()}

    @dbus.service.signal(MANAGER, signature="oa{sa{sv}}")
    def InterfacesAdded(self, path, interfaces):
        pass

    @dbus.service.signal(MANAGER, signature="oas")
    def InterfacesRemoved(self, path, interfaces):
        pass


class Adapter(Thing):
    def __init__(self, bus, name, address, flags):
        self.name, self.denied = name, "denied" in flags
        self.monitors = {}  # (owner, root) -> its monitor's path
        self.client = None
        interfaces = {ADAPTER: {"Address": address, "Name": "fake", "Powered": "off" not in flags, "Discovering": False}}
        if "passive" in flags:
            interfaces[MONITORS] = {"SupportedMonitorTypes": dbus.Array(["or_patterns"], "s"),
                                    "SupportedFeatures": dbus.Array([], "s")}
        super().__init__(bus, "/org/bluez/" + name, interfaces)

    def check(self):
        if self.denied:
            raise Fault("org.freedesktop.DBus.Error.AccessDenied", "Rejected send message")
        if not self.interfaces[ADAPTER]["Powered"]:
            raise Fault("org.bluez.Error.NotReady", "Resource Not Ready")

    def listening(self):
        return self.interfaces[ADAPTER]["Powered"] and (self.interfaces[ADAPTER]["Discovering"] or bool(self.monitors))

    @dbus.service.method(ADAPTER, in_signature="a{sv}")
    def SetDiscoveryFilter(self, wanted):
        self.check()
        self.filter = wanted

    @dbus.service.method(ADAPTER, sender_keyword="sender")
    def StartDiscovery(self, sender=None):
        self.check()
        if self.interfaces[ADAPTER]["Discovering"]:
            raise Fault("org.bluez.Error.InProgress", "Operation already in progress")
        self.change(ADAPTER, {"Discovering": True})
        tell(f"discovery {self.name} {self.filter['Transport']} {bool(self.filter['DuplicateData'])}")

    @dbus.service.method(MONITORS, in_signature="o", sender_keyword="sender")
    def RegisterMonitor(self, path, sender=None):
        if MONITORS not in self.interfaces:
            raise Fault("org.freedesktop.DBus.Error.UnknownMethod", "No such method")
        self.check()
        if (sender, path) in self.monitors:
            raise Fault("org.bluez.Error.AlreadyExists", "Already Exists")
        self.monitors[(sender, path)] = None
        client = dbus.Interface(bus.get_object(sender, path, introspect=False), MANAGER)
        client.GetManagedObjects(reply_handler=lambda found: self.found(sender, path, found), error_handler=self.lost)

    @dbus.service.method(MONITORS, in_signature="o", sender_keyword="sender")
    def UnregisterMonitor(self, path, sender=None):
        if self.monitors.pop((sender, path), "none") == "none":
            raise Fault("org.bluez.Error.DoesNotExist", "Does Not Exist")
        tell(f"unmonitor {self.name}")

    def found(self, sender, root_path, found):
        for path, interfaces in found.items():
            if MONITOR not in interfaces:
                continue
            properties = interfaces[MONITOR]
            self.monitors[(sender, root_path)] = path
            monitor = dbus.Interface(bus.get_object(sender, path, introspect=False), MONITOR)
            monitor.Activate(reply_handler=lambda: None, error_handler=self.lost)
            start, kind, content = properties["Patterns"][0]
            assert properties["RSSIHighThreshold"] > properties["RSSILowThreshold"]
            tell(f"monitor {self.name} {properties['Type']} {int(start)} {int(kind)} {bytes(content).hex()}")

    def release(self):
        for (sender, root_path), path in list(self.monitors.items()):
            monitor = dbus.Interface(bus.get_object(sender, path, introspect=False), MONITOR)
            monitor.Release(reply_handler=lambda: None, error_handler=self.lost)
            del self.monitors[(sender, root_path)]

    def lost(self, error):
        tell(f"error {error}")


def manufacturer(company, data):
    return dbus.Dictionary({dbus.UInt16(company): dbus.Array(data, "y", variant_level=1)}, "qv")


def device_path(adapter, address):
    return f"{adapter.path}/dev_{address.replace(':', '_')}"


def advert(adapter, address, rssi, company, data, name):
    if not adapter.listening():
        return tell("deaf")
    changed = {"RSSI": dbus.Int16(rssi), "ManufacturerData": manufacturer(company, data)}
    path = device_path(adapter, address)
    if path in objects:
        return objects[path].change(DEVICE, changed)
    changed.update({"Address": address, "AddressType": "random", "Adapter": dbus.ObjectPath(adapter.path)})
    if name:
        changed["Name"] = name
    Thing(bus, path, {DEVICE: changed})


def handle(words):
    command, rest = words[0], words[1:]
    if command == "adapter":
        Adapter(bus, rest[0], rest[1], rest[2:])
    elif command in ("leave", "return"):
        bus.release_name("org.bluez") if command == "leave" else bus.request_name("org.bluez")
    else:
        adapter = objects["/org/bluez/" + rest[0]]
        if command == "remove":
            for path in [path for path in objects if path.startswith(adapter.path + "/")]:
                objects[path].drop()
            adapter.drop()
        elif command == "power":
            on = rest[1] == "on"
            if not on:
                adapter.change(ADAPTER, {"Discovering": False})
            adapter.change(ADAPTER, {"Powered": on})
        elif command == "release":
            adapter.release()
        elif command == "advert":
            advert(adapter, rest[1], int(rest[2]), int(rest[3], 16), bytes.fromhex(rest[4]), " ".join(rest[5:]))
        elif command == "repeat":
            for number in range(int(rest[2])):
                advert(adapter, rest[1], -50, int(rest[3], 16), number.to_bytes(4, "little") * 5, "")
        elif command == "cached":
            Thing(bus, device_path(adapter, rest[1]),
                  {DEVICE: {"Address": rest[1], "AddressType": "public",
                            "ManufacturerData": manufacturer(int(rest[2], 16), bytes.fromhex(rest[3]))}})


def on_input(_source, _condition):
    line = sys.stdin.readline()
    if not line:
        loop.quit()
        return False
    handle(line.split())
    tell("done")
    return True


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
root = Root(bus, "/")
bus.request_name("org.bluez")
GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, on_input)
loop = GLib.MainLoop()
tell("ready")
loop.run()
