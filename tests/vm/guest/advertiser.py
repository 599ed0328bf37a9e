"""Advertises manufacturer data through bluetoothd until it is ended: advertiser.py ADAPTER COMPANY HEX"""
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

PATH = "/vesta/test/advert"


class Advertisement(dbus.service.Object):
    def __init__(self, bus, company, data):
        super().__init__(bus, PATH)
        self.content = dbus.Dictionary({dbus.UInt16(company): dbus.Array(data, signature="y")}, signature="qv")

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="s", out_signature="a{sv}")
    def GetAll(self, _interface):  # noqa: N802  the name on the bus
        return {"Type": "broadcast", "ManufacturerData": self.content}

    @dbus.service.method("org.bluez.LEAdvertisement1")
    def Release(self):  # noqa: N802
        print("released", flush=True)


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    advertisement = Advertisement(bus, int(sys.argv[2]), bytes.fromhex(sys.argv[3]))
    adapter = bus.get_object("org.bluez", f"/org/bluez/{sys.argv[1]}")
    dbus.Interface(adapter, "org.freedesktop.DBus.Properties").Set("org.bluez.Adapter1", "Powered", dbus.Boolean(True))
    manager = dbus.Interface(adapter, "org.bluez.LEAdvertisingManager1")

    def register():
        manager.RegisterAdvertisement(advertisement, {}, reply_handler=lambda: print("on the air", flush=True),
                                      error_handler=again)
        return False

    def again(error):  # an adapter that was only just switched on says no
        print(error, flush=True)
        GLib.timeout_add(1000, register)
    register()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
