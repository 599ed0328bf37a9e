-- A store file of format 1 with a device, a reading and three archived frames: what a hub of version 0.1 leaves behind.
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('reserved_numbers_end', 1), ('reserved_frames_end', 1), ('timeline_end', 0);

CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  protocol TEXT NOT NULL,
  source TEXT NOT NULL,
  identity TEXT NOT NULL,
  identity_on_wire INTEGER NOT NULL,
  kind TEXT NOT NULL,
  manufacturer TEXT NOT NULL,
  model TEXT NOT NULL,
  serial TEXT NOT NULL,
  firmware TEXT NOT NULL,
  parent INTEGER NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL
) STRICT;

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  field TEXT NOT NULL,
  quantity TEXT NOT NULL,
  unit TEXT NOT NULL,
  decimals INTEGER NOT NULL,
  kind TEXT NOT NULL,
  slow INTEGER NOT NULL,
  diagnostic INTEGER NOT NULL,
  UNIQUE (device, field)
) STRICT;

CREATE TABLE series_state (
  series INTEGER NOT NULL,
  code INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (series, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE reading (
  number INTEGER PRIMARY KEY,
  series INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  delay_us INTEGER NOT NULL,
  marks INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  exponent INTEGER NOT NULL,
  value ANY
) STRICT;

CREATE TABLE timeline (
  series INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  number INTEGER NOT NULL,
  marks INTEGER NOT NULL,
  exponent INTEGER NOT NULL,
  value ANY,
  PRIMARY KEY (series, time_us, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE frame_class (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  verdict INTEGER NOT NULL,
  reason TEXT NOT NULL,
  frames INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (source, verdict, reason)
) STRICT;

CREATE TABLE frame (
  id INTEGER PRIMARY KEY,
  class INTEGER NOT NULL,
  received_us INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX frame_by_class ON frame (class);

CREATE TABLE frame_reading (
  frame INTEGER NOT NULL,
  first_number INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (frame, first_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE output_position (
  output TEXT PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW plain_reading AS
SELECT r.number,
       d.key AS device,
       s.field,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.time_us / 1000000.0, 'unixepoch') AS time,
       CASE r.marks & 7
         WHEN 1 THEN CAST(r.value || 'e' || r.exponent AS REAL)
         WHEN 4 THEN coalesce((SELECT n.name FROM series_state n WHERE n.series = r.series AND n.code = r.value),
                              r.value)
         ELSE r.value
       END AS value,
       s.unit,
       CASE r.marks >> 3 & 7
         WHEN 0 THEN 'ok' WHEN 1 THEN 'unavailable' WHEN 2 THEN 'out_of_range' WHEN 3 THEN 'suspect' ELSE 'derived'
       END AS quality,
       r.series,
       r.time_us,
       r.time_us + r.delay_us AS received_us
FROM reading r
JOIN series s ON s.id = r.series
JOIN device d ON d.id = s.device;

INSERT INTO device VALUES (1, 'p1_e1', 'p1', 'meter', 'E1', 1, 'electricity_meter', 'ACME', '', '', '', 0, '', '');
INSERT INTO series VALUES (1, 1, 'voltage_l1', 'voltage', 'V', 1, 'gauge', 0, 0);
INSERT INTO reading VALUES (5, 1, 1754900000000000, 0, 1, 2, -1, 2301);
INSERT INTO frame_class VALUES (1, 'meter', 1, 'crc', 2, 3), (2, 'meter', 0, '', 1, 4);
INSERT INTO frame VALUES (1, 1, 1754900000000000, x'0102'), (2, 2, 1754900000000000, x'01020304'),
                         (3, 1, 1754900001000000, x'05');
INSERT INTO frame_reading VALUES (2, 5, 1);
UPDATE meta SET value = 100 WHERE name IN ('reserved_numbers_end', 'reserved_frames_end');
PRAGMA application_id = 0x56657374;
PRAGMA user_version = 1;
