-- A database of schema 6 with simulated events, as it was before the first release.
BEGIN TRANSACTION;
CREATE TABLE acknowledgements (
      id INTEGER PRIMARY KEY,
      alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
      at TEXT NOT NULL,
      who TEXT NOT NULL,
      note TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical'))
    ) STRICT
    ;
INSERT INTO "acknowledgements" VALUES(1,'08261debda43c0bb','2022-08-04T12:00:00.000000Z','desk','SIMULATED','warning');
CREATE TABLE "actions" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "at" TEXT NOT NULL,
   "who" TEXT NOT NULL,
   "command" TEXT NOT NULL,
   "arguments" TEXT NOT NULL,
   "outcome" TEXT NOT NULL
) STRICT;
INSERT INTO "actions" VALUES(1,'2022-08-04T06:00:00.000000Z','desk','silence-add','{"matchers": ["rule=near"], "comment": "SIMULATED", "for": "30h"}','ok');
INSERT INTO "actions" VALUES(2,'2022-08-04T12:00:00.000000Z','desk','ack','{"alerts": ["08261debda43c0bb"], "note": "SIMULATED"}','ok');
INSERT INTO "actions" VALUES(3,'2022-08-04T12:00:00.000000Z','desk','verdict','{"alerts": ["08261debda43c0bb", "1b7e90d66c93a06c"], "verdict": "true", "note": "SIMULATED"}','ok');
CREATE TABLE alert_evidence (
      alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
      uid TEXT NOT NULL,
      position INTEGER NOT NULL,
      held INTEGER NOT NULL CHECK (held IN (0, 1)),
      told INTEGER NOT NULL CHECK (told IN (0, 1)),
      PRIMARY KEY (alert_id, uid)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "alert_evidence" VALUES('08261debda43c0bb','acled:E3',0,1,1);
INSERT INTO "alert_evidence" VALUES('18c3966fb4f42a7a','acled:E6',0,1,1);
INSERT INTO "alert_evidence" VALUES('1b7e90d66c93a06c','acled:E1',1,1,1);
INSERT INTO "alert_evidence" VALUES('1b7e90d66c93a06c','acled:E2',0,1,1);
INSERT INTO "alert_evidence" VALUES('1b7e90d66c93a06c','acled:E3',5,0,1);
INSERT INTO "alert_evidence" VALUES('1b7e90d66c93a06c','acled:E4',2,1,0);
INSERT INTO "alert_evidence" VALUES('1b7e90d66c93a06c','acled:E5',4,1,0);
INSERT INTO "alert_evidence" VALUES('1b7e90d66c93a06c','acled:E6',3,1,0);
INSERT INTO "alert_evidence" VALUES('35239042f76b25f6','acled:E4',0,1,1);
INSERT INTO "alert_evidence" VALUES('7782c733e02b0940','acled:E2',0,1,1);
INSERT INTO "alert_evidence" VALUES('7e6245d60068ed16','acled:E1',0,1,1);
INSERT INTO "alert_evidence" VALUES('e666444a1b3f5167','acled:E5',0,1,1);
INSERT INTO "alert_evidence" VALUES('f88acd8fcf3730a8','acled:OLD',0,1,0);
CREATE TABLE alerts (
      id TEXT PRIMARY KEY NOT NULL,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      key TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('active', 'ended', 'cancelled', 'closed')),
      state_reason TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      first_day TEXT NOT NULL,
      last_day TEXT NOT NULL,
      since TEXT NOT NULL,
      until TEXT NOT NULL,
      value REAL,
      facts TEXT NOT NULL,
      raised_at TEXT NOT NULL,
      changed_at TEXT NOT NULL,
      ended_at TEXT,
      told INTEGER NOT NULL CHECK (told IN (0, 1)),
      silence_reason TEXT NOT NULL,
      told_at TEXT,
      told_severity TEXT,
      told_value REAL,
      told_facts TEXT NOT NULL,
      acknowledged_at TEXT,
      listed INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1))
    ) STRICT
    ;
INSERT INTO "alerts" VALUES('f88acd8fcf3730a8','near','525299ab9f7fec71','[]','ended','','warning','2021-01-01','2021-01-01','2021-01-01','2021-01-01',NULL,'{"kind":"event","first_day":"2021-01-01","last_day":"2021-01-01","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:OLD","id":"OLD","dataset":"acled","source":"acled","date":"2021-01-01","date_end":"2021-01-01","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.7446,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.896,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-01T06:00:00.000000Z","known_at":"2022-08-01T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-01T06:00:00.000000Z"}','2022-08-01T06:00:00.000000Z','2022-08-01T06:00:00.000000Z','2022-08-01T06:00:00.000000Z',0,'SEEDED',NULL,NULL,NULL,'{}',NULL,0);
INSERT INTO "alerts" VALUES('7e6245d60068ed16','near','525299ab9f7fec71','[]','active','','critical','2022-08-02','2022-08-02','2022-08-02','2022-08-02',NULL,'{"kind":"event","first_day":"2022-08-02","last_day":"2022-08-02","event_count":1,"reports":1,"fatalities":15,"largest_share":1,"events":[{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":15,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-02T06:00:00.000000Z"}','2022-08-02T06:00:00.000000Z','2022-08-04T06:00:00.000000Z',NULL,1,'','2022-08-04T06:00:00.000000Z','critical',NULL,'{"kind":"event","first_day":"2022-08-02","last_day":"2022-08-02","event_count":1,"reports":1,"fatalities":15,"largest_share":1,"events":[{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":15,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-02T06:00:00.000000Z"}',NULL,0);
INSERT INTO "alerts" VALUES('08261debda43c0bb','near','525299ab9f7fec71','[]','cancelled','WITHDRAWN_BY_SOURCE','warning','2022-07-31','2022-07-31','2022-07-31','2022-07-31',NULL,'{"kind":"event","first_day":"2022-07-31","last_day":"2022-07-31","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E3","id":"E3","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.9,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":29.825,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z"}','2022-08-03T06:00:00.000000Z','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z',1,'','2022-08-04T12:00:00.000000Z','warning',NULL,'{"kind":"event","first_day":"2022-07-31","last_day":"2022-07-31","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E3","id":"E3","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.9,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":29.825,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z"}','2022-08-04T12:00:00.000000Z',0);
INSERT INTO "alerts" VALUES('7782c733e02b0940','near','525299ab9f7fec71','[]','active','','warning','2022-08-01','2022-08-01','2022-08-01','2022-08-01',NULL,'{"kind":"event","first_day":"2022-08-01","last_day":"2022-08-01","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E2","id":"E2","dataset":"acled","source":"acled","date":"2022-08-01","date_end":"2022-08-01","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.2,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":49.173,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z"}','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z',NULL,1,'','2022-08-03T06:00:00.000000Z','warning',NULL,'{"kind":"event","first_day":"2022-08-01","last_day":"2022-08-01","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E2","id":"E2","dataset":"acled","source":"acled","date":"2022-08-01","date_end":"2022-08-01","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.2,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":49.173,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z"}',NULL,0);
INSERT INTO "alerts" VALUES('1b7e90d66c93a06c','cluster','c82531486ab48a32','[]','active','','warning','2022-08-01','2022-08-04','2022-08-02','2022-08-05',5.0,'{"kind":"count","first_day":"2022-08-01","last_day":"2022-08-04","event_count":5,"reports":5,"fatalities":23,"largest_share":0.652174,"events":[{"uid":"acled:E5","id":"E5","dataset":"acled","source":"acled","date":"2022-08-04","date_end":"2022-08-04","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.4,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":27.522,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-06T14:00:00.000000Z","known_at":"2022-08-06T14:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""},{"uid":"acled:E6","id":"E6","dataset":"acled","source":"acled","date":"2022-08-03","date_end":"2022-08-03","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.5,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":17.156,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T20:00:00.000000Z","known_at":"2022-08-04T20:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""},{"uid":"acled:E4","id":"E4","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":13.1,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":51.535,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T12:00:00.000000Z","known_at":"2022-08-04T12:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""},{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":15,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""},{"uid":"acled:E2","id":"E2","dataset":"acled","source":"acled","date":"2022-08-01","date_end":"2022-08-01","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.2,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":49.173,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-06T14:00:00.000000Z","value":5,"current":5,"measure":"events","window_days":20,"bound":{"gte":2.0},"since":"2022-08-02","until":"2022-08-05"}','2022-08-03T06:00:00.000000Z','2022-08-06T14:00:00.000000Z',NULL,1,'','2022-08-03T06:00:00.000000Z','warning',3.0,'{"kind":"count","first_day":"2022-07-31","last_day":"2022-08-01","event_count":3,"reports":3,"fatalities":6,"largest_share":0.333333,"events":[{"uid":"acled:E2","id":"E2","dataset":"acled","source":"acled","date":"2022-08-01","date_end":"2022-08-01","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.2,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":49.173,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""},{"uid":"acled:E3","id":"E3","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.9,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":29.825,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""},{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z","value":3,"current":3,"measure":"events","window_days":20,"bound":{"gte":2.0},"since":"2022-07-31","until":"2022-08-02"}',NULL,0);
INSERT INTO "alerts" VALUES('35239042f76b25f6','near','525299ab9f7fec71','[]','active','','warning','2022-08-02','2022-08-02','2022-08-02','2022-08-02',NULL,'{"kind":"event","first_day":"2022-08-02","last_day":"2022-08-02","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E4","id":"E4","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":13.1,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":51.535,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T12:00:00.000000Z","known_at":"2022-08-04T12:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-04T12:00:00.000000Z"}','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z',NULL,1,'','2022-08-04T12:00:00.000000Z','warning',NULL,'{"kind":"event","first_day":"2022-08-02","last_day":"2022-08-02","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E4","id":"E4","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":13.1,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":51.535,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T12:00:00.000000Z","known_at":"2022-08-04T12:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-04T12:00:00.000000Z"}',NULL,0);
INSERT INTO "alerts" VALUES('18c3966fb4f42a7a','near','525299ab9f7fec71','[]','active','','warning','2022-08-03','2022-08-03','2022-08-03','2022-08-03',NULL,'{"kind":"event","first_day":"2022-08-03","last_day":"2022-08-03","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E6","id":"E6","dataset":"acled","source":"acled","date":"2022-08-03","date_end":"2022-08-03","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.5,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":17.156,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T20:00:00.000000Z","known_at":"2022-08-04T20:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-04T20:00:00.000000Z"}','2022-08-04T20:00:00.000000Z','2022-08-04T20:00:00.000000Z',NULL,1,'','2022-08-04T20:00:00.000000Z','warning',NULL,'{"kind":"event","first_day":"2022-08-03","last_day":"2022-08-03","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E6","id":"E6","dataset":"acled","source":"acled","date":"2022-08-03","date_end":"2022-08-03","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.5,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":17.156,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T20:00:00.000000Z","known_at":"2022-08-04T20:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-04T20:00:00.000000Z"}',NULL,0);
INSERT INTO "alerts" VALUES('e666444a1b3f5167','near','525299ab9f7fec71','[]','active','','warning','2022-08-04','2022-08-04','2022-08-04','2022-08-04',NULL,'{"kind":"event","first_day":"2022-08-04","last_day":"2022-08-04","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E5","id":"E5","dataset":"acled","source":"acled","date":"2022-08-04","date_end":"2022-08-04","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.4,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":27.522,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-06T14:00:00.000000Z","known_at":"2022-08-06T14:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-06T14:00:00.000000Z"}','2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z',NULL,1,'','2022-08-06T14:00:00.000000Z','warning',NULL,'{"kind":"event","first_day":"2022-08-04","last_day":"2022-08-04","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E5","id":"E5","dataset":"acled","source":"acled","date":"2022-08-04","date_end":"2022-08-04","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.4,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":27.522,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-06T14:00:00.000000Z","known_at":"2022-08-06T14:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":""}],"datasets":["acled"],"known_at":"2022-08-06T14:00:00.000000Z"}',NULL,0);
CREATE TABLE calibrations (
      id INTEGER PRIMARY KEY,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      at TEXT NOT NULL,
      budget REAL,
      false_alerts_per_year REAL NOT NULL CHECK (false_alerts_per_year >= 0),
      result TEXT NOT NULL  -- JSON, as --json prints it
    ) STRICT
    ;
CREATE TABLE "cycles" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "at" TEXT NOT NULL,
   "ruleset_version" TEXT NOT NULL,
   "complete_through" TEXT NOT NULL DEFAULT '{}',
   "kind" TEXT NOT NULL,
   "counts" TEXT NOT NULL DEFAULT '{}'
) STRICT;
INSERT INTO "cycles" VALUES(1,'2022-08-01T06:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-07-31"}','full','{"SEEDED": 1}');
INSERT INTO "cycles" VALUES(2,'2022-08-02T06:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-01"}','full','{"FIRST": 1, "UNCHANGED": 1}');
INSERT INTO "cycles" VALUES(3,'2022-08-03T06:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-02"}','full','{"FIRST": 3, "UNCHANGED": 2}');
INSERT INTO "cycles" VALUES(4,'2022-08-04T06:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-03"}','full','{"COSMETIC": 1, "SEVERITY_RAISED": 1, "UNCHANGED": 3}');
INSERT INTO "cycles" VALUES(5,'2022-08-04T12:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-03"}','incremental','{"COSMETIC": 1, "FIRST": 1, "UNCHANGED": 3}');
INSERT INTO "cycles" VALUES(6,'2022-08-04T12:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-03"}','incremental','{"COSMETIC": 1, "UNCHANGED": 3, "WITHDRAWN_BY_SOURCE": 1}');
INSERT INTO "cycles" VALUES(7,'2022-08-04T20:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-03"}','incremental','{"COSMETIC": 1, "FIRST": 1, "UNCHANGED": 3}');
INSERT INTO "cycles" VALUES(8,'2022-08-06T12:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-05"}','full','{"COSMETIC": 1, "UNCHANGED": 5}');
INSERT INTO "cycles" VALUES(9,'2022-08-06T14:00:00.000000Z','a3abccfc4b8f8db0','{"acled": "2022-08-05"}','incremental','{"COSMETIC": 1, "FIRST": 1, "UNCHANGED": 4}');
CREATE TABLE decisions (
      id INTEGER PRIMARY KEY,
      cycle_id INTEGER NOT NULL REFERENCES cycles(id),
      at TEXT NOT NULL,
      alert_id TEXT NOT NULL,
      rule_id TEXT NOT NULL,
      name TEXT NOT NULL,
      reason TEXT NOT NULL,
      notice_id TEXT REFERENCES notices(id),
      state TEXT NOT NULL,
      severity TEXT NOT NULL,
      changes TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "decisions" VALUES(1,1,'2022-08-01T06:00:00.000000Z','f88acd8fcf3730a8','near','open','SEEDED',NULL,'ended','warning','[]');
INSERT INTO "decisions" VALUES(2,2,'2022-08-02T06:00:00.000000Z','7e6245d60068ed16','near','open','FIRST','5f7cc433acac12ac71d5','active','warning','[]');
INSERT INTO "decisions" VALUES(3,3,'2022-08-03T06:00:00.000000Z','08261debda43c0bb','near','open','FIRST','e19252b86ebfbadf2a3d','active','warning','[]');
INSERT INTO "decisions" VALUES(4,3,'2022-08-03T06:00:00.000000Z','7782c733e02b0940','near','open','FIRST','948258844c7fd5850683','active','warning','[]');
INSERT INTO "decisions" VALUES(5,3,'2022-08-03T06:00:00.000000Z','1b7e90d66c93a06c','cluster','open','FIRST','5b58295012a5f496b8a9','active','warning','[]');
INSERT INTO "decisions" VALUES(6,4,'2022-08-04T06:00:00.000000Z','7e6245d60068ed16','near','tell','SEVERITY_RAISED','7519e64df5f2d0cc8388','active','critical','[["date","2022-07-31","2022-08-02"],["fatalities",2,15]]');
INSERT INTO "decisions" VALUES(7,4,'2022-08-04T06:00:00.000000Z','1b7e90d66c93a06c','cluster','save','COSMETIC',NULL,'active','warning','[]');
INSERT INTO "decisions" VALUES(8,5,'2022-08-04T12:00:00.000000Z','35239042f76b25f6','near','open','FIRST','2fd9df2a99d53e5aa7f2','active','warning','[]');
INSERT INTO "decisions" VALUES(9,5,'2022-08-04T12:00:00.000000Z','1b7e90d66c93a06c','cluster','save','COSMETIC',NULL,'active','warning','[]');
INSERT INTO "decisions" VALUES(10,6,'2022-08-04T12:00:00.000000Z','08261debda43c0bb','near','close','WITHDRAWN_BY_SOURCE','ed269bfe536cc0403ab0','cancelled','warning','[]');
INSERT INTO "decisions" VALUES(11,6,'2022-08-04T12:00:00.000000Z','1b7e90d66c93a06c','cluster','save','COSMETIC',NULL,'active','warning','[]');
INSERT INTO "decisions" VALUES(12,7,'2022-08-04T20:00:00.000000Z','18c3966fb4f42a7a','near','open','FIRST','427ed8112940daaca972','active','warning','[]');
INSERT INTO "decisions" VALUES(13,7,'2022-08-04T20:00:00.000000Z','1b7e90d66c93a06c','cluster','save','COSMETIC',NULL,'active','warning','[]');
INSERT INTO "decisions" VALUES(14,8,'2022-08-06T12:00:00.000000Z','1b7e90d66c93a06c','cluster','save','COSMETIC',NULL,'active','warning','[]');
INSERT INTO "decisions" VALUES(15,9,'2022-08-06T14:00:00.000000Z','e666444a1b3f5167','near','open','FIRST','02db8583877b874fd35d','active','warning','[]');
INSERT INTO "decisions" VALUES(16,9,'2022-08-06T14:00:00.000000Z','1b7e90d66c93a06c','cluster','save','COSMETIC',NULL,'active','warning','[]');
CREATE TABLE deliveries (
      id INTEGER PRIMARY KEY,
      key TEXT NOT NULL UNIQUE,
      message_id TEXT NOT NULL REFERENCES messages(id),
      receiver TEXT NOT NULL,
      channel TEXT NOT NULL,
      target TEXT NOT NULL,
      format TEXT NOT NULL,
      headers TEXT NOT NULL DEFAULT '{}',
      state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
        ('pending', 'sending', 'retry', 'sent', 'dead', 'expired')),
      attempts INTEGER NOT NULL DEFAULT 0,
      tries INTEGER NOT NULL DEFAULT 0,
      due_at TEXT NOT NULL,
      lease_until TEXT,
      created_at TEXT NOT NULL,
      finished_at TEXT,
      last_error TEXT NOT NULL DEFAULT '',
      UNIQUE (message_id, channel, target),
      CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
      CHECK ((state IN ('sent', 'dead', 'expired')) = (finished_at IS NOT NULL))
    ) STRICT
    ;
INSERT INTO "deliveries" VALUES(1,'0744dd16a4504f6d9c2f6b80a61f285f','72706d6a026d64b8563221134c7b8c8a','archive','file','out','warden','{}','sent',1,1,'2022-08-02T06:00:00.000000Z',NULL,'2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(2,'165b1a77c9a2ad9d0a7578bfceac4315','a3922d9e17a1da4546cfd3a3bf3c54d0','desk','email','desk@example.org','mail','{"message_id": "<165b1a77c9a2ad9d0a7578bfceac4315@example.org>", "references": []}','sent',1,1,'2022-08-02T06:00:00.000000Z',NULL,'2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(3,'33228370abdc640fda142d22f5c6bd31','45490434f71219ff3a5c5e02737870eb','archive','file','out','warden','{}','dead',1,1,'2022-08-03T06:00:00.000000Z',NULL,'2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','410, gone');
INSERT INTO "deliveries" VALUES(4,'64c52b451389f60db575be023e1f9d67','3a071d7e6a031ea4d6d78d0560720c6c','desk','email','desk@example.org','mail','{"message_id": "<64c52b451389f60db575be023e1f9d67@example.org>", "references": []}','dead',1,1,'2022-08-03T06:00:00.000000Z',NULL,'2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','410, gone');
INSERT INTO "deliveries" VALUES(5,'394d4002e3b022fa1768a84af38c6a16','8ddbf1f4326500fcbe0b91973fdaccb7','archive','file','out','warden','{}','sent',2,2,'2022-08-04T06:00:05.136197Z',NULL,'2022-08-04T06:00:00.000000Z','2022-08-04T12:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(6,'24f062abc9ce3e48d411b38edc85d018','87bde15cef7379c32a6de94b7a716c79','desk','email','desk@example.org','mail','{"message_id": "<24f062abc9ce3e48d411b38edc85d018@example.org>", "references": ["<165b1a77c9a2ad9d0a7578bfceac4315@example.org>"]}','sent',2,2,'2022-08-04T06:00:05.367504Z',NULL,'2022-08-04T06:00:00.000000Z','2022-08-04T12:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(7,'3798640133a2a0dcddf03176655da02e','5b35910d620b43fefd215dda0cc2850f','archive','file','out','warden','{}','sent',1,1,'2022-08-04T12:00:00.000000Z',NULL,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(8,'91a2703bf5c3ac73e9d65e6e984cfb56','0a77e04e2e1566d5949ea63122921f67','desk','email','desk@example.org','mail','{"message_id": "<91a2703bf5c3ac73e9d65e6e984cfb56@example.org>", "references": []}','sent',1,1,'2022-08-04T12:00:00.000000Z',NULL,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(9,'97a5124f1bcb1cad749a2ee461a781b9','bab823d3adaf0713b699bafc72bdd4a8','archive','file','out','warden','{}','sent',1,1,'2022-08-06T12:00:00.000000Z',NULL,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(10,'50d7e8b27a5d15f1d9a86b01c98b8643','bf63d753d51aaccabe51d7ec3a72f2e3','desk','email','desk@example.org','mail','{"message_id": "<50d7e8b27a5d15f1d9a86b01c98b8643@example.org>", "references": []}','sent',1,1,'2022-08-06T12:00:00.000000Z',NULL,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(11,'4f567f4af5b379d149f6b0d9c6427007','62a17dda0e08cbb5f3d7b9c06d4edcd3','archive','file','out','warden','{}','sent',1,1,'2022-08-06T12:00:00.000000Z',NULL,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','');
INSERT INTO "deliveries" VALUES(12,'32304de420d9a8f548e24a83a9688190','1f21064c9441ded9ccf8241d1258aebb','desk','email','desk@example.org','mail','{"message_id": "<32304de420d9a8f548e24a83a9688190@example.org>", "references": []}','sent',1,1,'2022-08-06T12:00:00.000000Z',NULL,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','');
CREATE TABLE delivery_attempts (
      id INTEGER PRIMARY KEY,
      delivery_id INTEGER NOT NULL REFERENCES deliveries(id) ON DELETE CASCADE,
      started_at TEXT NOT NULL,
      finished_at TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'refused', 'failed')),
      detail TEXT NOT NULL DEFAULT ''
    ) STRICT
    ;
INSERT INTO "delivery_attempts" VALUES(1,2,'2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(2,1,'2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(3,3,'2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','refused','410, gone');
INSERT INTO "delivery_attempts" VALUES(4,4,'2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','refused','410, gone');
INSERT INTO "delivery_attempts" VALUES(5,5,'2022-08-04T06:00:00.000000Z','2022-08-04T06:00:00.000000Z','failed','503, come back later');
INSERT INTO "delivery_attempts" VALUES(6,6,'2022-08-04T06:00:00.000000Z','2022-08-04T06:00:00.000000Z','failed','503, come back later');
INSERT INTO "delivery_attempts" VALUES(7,5,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(8,6,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(9,7,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(10,8,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(11,9,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(12,11,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(13,10,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','sent','200');
INSERT INTO "delivery_attempts" VALUES(14,12,'2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','sent','200');
CREATE TABLE dispatch_alerts (
      alert_id TEXT NOT NULL,
      dispatch_id INTEGER NOT NULL REFERENCES dispatches(id) ON DELETE CASCADE,
      PRIMARY KEY (alert_id, dispatch_id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "dispatch_alerts" VALUES('7e6245d60068ed16',1);
INSERT INTO "dispatch_alerts" VALUES('7e6245d60068ed16',2);
INSERT INTO "dispatch_alerts" VALUES('08261debda43c0bb',3);
INSERT INTO "dispatch_alerts" VALUES('08261debda43c0bb',4);
INSERT INTO "dispatch_alerts" VALUES('7782c733e02b0940',5);
INSERT INTO "dispatch_alerts" VALUES('7782c733e02b0940',6);
INSERT INTO "dispatch_alerts" VALUES('1b7e90d66c93a06c',7);
INSERT INTO "dispatch_alerts" VALUES('1b7e90d66c93a06c',8);
INSERT INTO "dispatch_alerts" VALUES('7e6245d60068ed16',9);
INSERT INTO "dispatch_alerts" VALUES('7e6245d60068ed16',10);
INSERT INTO "dispatch_alerts" VALUES('35239042f76b25f6',11);
INSERT INTO "dispatch_alerts" VALUES('35239042f76b25f6',12);
INSERT INTO "dispatch_alerts" VALUES('08261debda43c0bb',13);
INSERT INTO "dispatch_alerts" VALUES('08261debda43c0bb',14);
INSERT INTO "dispatch_alerts" VALUES('18c3966fb4f42a7a',15);
INSERT INTO "dispatch_alerts" VALUES('18c3966fb4f42a7a',16);
INSERT INTO "dispatch_alerts" VALUES('e666444a1b3f5167',17);
INSERT INTO "dispatch_alerts" VALUES('e666444a1b3f5167',18);
CREATE TABLE dispatches (
      id INTEGER PRIMARY KEY,
      notice_id TEXT NOT NULL REFERENCES notices(id),
      alert_id TEXT NOT NULL,
      action TEXT NOT NULL CHECK (action IN
        ('alert', 'update', 'reminder', 'resolved', 'cancel', 'summary')),
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      receiver TEXT NOT NULL,
      route TEXT NOT NULL DEFAULT '',
      group_key TEXT NOT NULL,
      created_at TEXT NOT NULL,
      due_at TEXT NOT NULL,
      message_id TEXT REFERENCES messages(id),
      position INTEGER,
      withheld_reason TEXT,
      withheld_at TEXT, labels TEXT NOT NULL DEFAULT '{}', closes INTEGER NOT NULL DEFAULT 0 CHECK (closes IN (0, 1)), digest INTEGER NOT NULL DEFAULT 0 CHECK (digest IN (0, 1)), superseded_by INTEGER,
      UNIQUE (notice_id, receiver),
      CHECK (message_id IS NULL OR withheld_reason IS NULL)
    ) STRICT
    ;
INSERT INTO "dispatches" VALUES(1,'5f7cc433acac12ac71d5','7e6245d60068ed16','alert','warning','archive','0','cycle=2022-08-02T06:00:00+00:00','2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','72706d6a026d64b8563221134c7b8c8a',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(2,'5f7cc433acac12ac71d5','7e6245d60068ed16','alert','warning','desk','1','cycle=2022-08-02T06:00:00+00:00','2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','a3922d9e17a1da4546cfd3a3bf3c54d0',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(3,'e19252b86ebfbadf2a3d','08261debda43c0bb','alert','warning','archive','0','cycle=2022-08-03T06:00:00+00:00','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','45490434f71219ff3a5c5e02737870eb',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(4,'e19252b86ebfbadf2a3d','08261debda43c0bb','alert','warning','desk','1','cycle=2022-08-03T06:00:00+00:00','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','3a071d7e6a031ea4d6d78d0560720c6c',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(5,'948258844c7fd5850683','7782c733e02b0940','alert','warning','archive','0','cycle=2022-08-03T06:00:00+00:00','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','45490434f71219ff3a5c5e02737870eb',1,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(6,'948258844c7fd5850683','7782c733e02b0940','alert','warning','desk','1','cycle=2022-08-03T06:00:00+00:00','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','3a071d7e6a031ea4d6d78d0560720c6c',1,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(7,'5b58295012a5f496b8a9','1b7e90d66c93a06c','alert','warning','archive','0','cycle=2022-08-03T06:00:00+00:00','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','45490434f71219ff3a5c5e02737870eb',2,NULL,NULL,'{"country": "MLI", "rule": "cluster", "severity": "warning", "action": "alert", "kind": "count"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(8,'5b58295012a5f496b8a9','1b7e90d66c93a06c','alert','warning','desk','1','cycle=2022-08-03T06:00:00+00:00','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','3a071d7e6a031ea4d6d78d0560720c6c',2,NULL,NULL,'{"country": "MLI", "rule": "cluster", "severity": "warning", "action": "alert", "kind": "count"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(9,'7519e64df5f2d0cc8388','7e6245d60068ed16','update','critical','archive','0','cycle=2022-08-04T06:00:00+00:00','2022-08-04T06:00:00.000000Z','2022-08-04T06:00:00.000000Z','8ddbf1f4326500fcbe0b91973fdaccb7',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "critical", "action": "update", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(10,'7519e64df5f2d0cc8388','7e6245d60068ed16','update','critical','desk','1','cycle=2022-08-04T06:00:00+00:00','2022-08-04T06:00:00.000000Z','2022-08-04T06:00:00.000000Z','87bde15cef7379c32a6de94b7a716c79',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "critical", "action": "update", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(11,'2fd9df2a99d53e5aa7f2','35239042f76b25f6','alert','warning','archive','0','cycle=2022-08-04T12:00:00+00:00','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','bab823d3adaf0713b699bafc72bdd4a8',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(12,'2fd9df2a99d53e5aa7f2','35239042f76b25f6','alert','warning','desk','1','cycle=2022-08-04T12:00:00+00:00','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','bf63d753d51aaccabe51d7ec3a72f2e3',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(13,'ed269bfe536cc0403ab0','08261debda43c0bb','cancel','warning','archive','0','cycle=2022-08-04T12:00:00+00:00','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','5b35910d620b43fefd215dda0cc2850f',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "cancel", "kind": "event"}',1,0,NULL);
INSERT INTO "dispatches" VALUES(14,'ed269bfe536cc0403ab0','08261debda43c0bb','cancel','warning','desk','1','cycle=2022-08-04T12:00:00+00:00','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','0a77e04e2e1566d5949ea63122921f67',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "cancel", "kind": "event"}',1,0,NULL);
INSERT INTO "dispatches" VALUES(15,'427ed8112940daaca972','18c3966fb4f42a7a','alert','warning','archive','0','cycle=2022-08-04T20:00:00+00:00','2022-08-04T20:00:00.000000Z','2022-08-04T20:00:00.000000Z','62a17dda0e08cbb5f3d7b9c06d4edcd3',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(16,'427ed8112940daaca972','18c3966fb4f42a7a','alert','warning','desk','1','cycle=2022-08-04T20:00:00+00:00','2022-08-04T20:00:00.000000Z','2022-08-04T20:00:00.000000Z','1f21064c9441ded9ccf8241d1258aebb',0,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(17,'02db8583877b874fd35d','e666444a1b3f5167','alert','warning','archive','0','cycle=2022-08-06T14:00:00+00:00','2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z',NULL,NULL,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
INSERT INTO "dispatches" VALUES(18,'02db8583877b874fd35d','e666444a1b3f5167','alert','warning','desk','1','cycle=2022-08-06T14:00:00+00:00','2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z',NULL,NULL,NULL,NULL,'{"country": "MLI", "rule": "near", "severity": "warning", "action": "alert", "kind": "event"}',0,0,NULL);
CREATE TABLE "event_revisions" (
   "uid" TEXT NOT NULL REFERENCES "events"("uid"),
   "revision" INTEGER NOT NULL,
   "at" TEXT NOT NULL,
   "kind" TEXT NOT NULL,
   "source" TEXT NOT NULL,
   "changed" TEXT NOT NULL,
   "was_source" TEXT NOT NULL,
   "was_source_updated_at" TEXT,
   "was_revised_at" TEXT NOT NULL,
   "was_raw_page" INTEGER,
   PRIMARY KEY ("uid", "revision")
) STRICT;
INSERT INTO "event_revisions" VALUES('acled:E1',2,'2022-08-04T06:00:00.000000Z','revised','acled','{"event_date": "2022-07-31", "event_date_end": "2022-07-31", "fatalities": 2}','acled','2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z',2);
INSERT INTO "event_revisions" VALUES('acled:E3',2,'2022-08-04T12:00:00.000000Z','retracted','acled','{"status": "active", "retracted_at": null, "retracted_reason": "", "deleted_at": null}','acled','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z',3);
CREATE TABLE "events" (
   "uid" TEXT PRIMARY KEY NOT NULL,
   "dataset" TEXT NOT NULL,
   "source_id" TEXT NOT NULL,
   "event_date" TEXT NOT NULL,
   "event_date_end" TEXT NOT NULL,
   "time_precision" INTEGER NOT NULL,
   "category" TEXT NOT NULL,
   "event_type" TEXT NOT NULL,
   "sub_event_type" TEXT NOT NULL,
   "disorder_type" TEXT NOT NULL,
   "actors" TEXT NOT NULL,
   "civilian_targeting" INTEGER NOT NULL,
   "fatalities" INTEGER NOT NULL,
   "fatalities_low" INTEGER,
   "fatalities_high" INTEGER,
   "fatalities_civilian" INTEGER,
   "lat" REAL NOT NULL,
   "lon" REAL NOT NULL,
   "geo_precision" INTEGER NOT NULL,
   "location_error_km" REAL NOT NULL,
   "iso3" TEXT NOT NULL,
   "country" TEXT NOT NULL,
   "admin1" TEXT NOT NULL,
   "admin2" TEXT NOT NULL,
   "admin3" TEXT NOT NULL,
   "location" TEXT NOT NULL,
   "notes" TEXT NOT NULL,
   "reporters" TEXT NOT NULL,
   "report" TEXT NOT NULL,
   "tags" TEXT NOT NULL,
   "url" TEXT NOT NULL,
   "source" TEXT NOT NULL,
   "status" TEXT NOT NULL,
   "revision" INTEGER NOT NULL,
   "source_updated_at" TEXT,
   "first_seen_at" TEXT NOT NULL,
   "known_at" TEXT NOT NULL,
   "backfilled" INTEGER NOT NULL,
   "revised_at" TEXT NOT NULL,
   "retracted_at" TEXT,
   "retracted_reason" TEXT NOT NULL,
   "deleted_at" TEXT,
   "content_hash" BLOB NOT NULL,
   "fingerprint" BLOB,
   "raw_page" INTEGER
) STRICT;
INSERT INTO "events" VALUES('acled:OLD','acled','OLD','2021-01-01','2021-01-01',1,'political_violence','Explosions/Remote violence','Suicide bomb','Political violence','[["JNIM: Group for Support of Islam and Muslims","actor1","Rebel group"],["Military Forces of Mali (2021-)","actor2","State forces"]]',0,2,NULL,NULL,NULL,12.7446,-8.0725,1,5.0,'MLI','Mali','Koulikoro','Kati','Kati','Kati','Simulated.','Simulated source','report of OLD','[]','','acled','active',1,NULL,'2022-08-01T06:00:00.000000Z','2022-08-01T06:00:00.000000Z',1,'2022-08-01T06:00:00.000000Z',NULL,'',NULL,X'25D0C7934F0D35755ABB5327DC0A890B',NULL,1);
INSERT INTO "events" VALUES('acled:E1','acled','E1','2022-08-02','2022-08-02',1,'political_violence','Explosions/Remote violence','Suicide bomb','Political violence','[["JNIM: Group for Support of Islam and Muslims","actor1","Rebel group"],["Military Forces of Mali (2021-)","actor2","State forces"]]',0,15,NULL,NULL,NULL,12.74,-8.0725,1,5.0,'MLI','Mali','Koulikoro','Kati','Kati','Kati','Simulated.','Simulated source','report of E1','[]','','acled','active',2,'2022-08-04T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z',0,'2022-08-04T06:00:00.000000Z',NULL,'',NULL,X'F8B3AAE8B5BF3C131BE3D9C3C3E061F2',NULL,4);
INSERT INTO "events" VALUES('acled:E2','acled','E2','2022-08-01','2022-08-01',1,'political_violence','Explosions/Remote violence','Suicide bomb','Political violence','[["JNIM: Group for Support of Islam and Muslims","actor1","Rebel group"],["Military Forces of Mali (2021-)","actor2","State forces"]]',0,2,NULL,NULL,NULL,12.2,-8.0725,1,5.0,'MLI','Mali','Koulikoro','Kati','Kati','Kati','Simulated.','Simulated source','report of E2','[]','','acled','active',1,'2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z',0,'2022-08-03T06:00:00.000000Z',NULL,'',NULL,X'9A7FAB1B7E51A8465608C26E8522E863',NULL,3);
INSERT INTO "events" VALUES('acled:E3','acled','E3','2022-07-31','2022-07-31',1,'political_violence','Explosions/Remote violence','Suicide bomb','Political violence','[["JNIM: Group for Support of Islam and Muslims","actor1","Rebel group"],["Military Forces of Mali (2021-)","actor2","State forces"]]',0,2,NULL,NULL,NULL,12.9,-8.0725,1,5.0,'MLI','Mali','Koulikoro','Kati','Kati','Kati','Simulated.','Simulated source','report of E3','[]','','acled','retracted',2,'2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z',0,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','deleted by the source','2022-08-04T12:00:00.000000Z',X'F7B61A15080E75CC3BE6CB0BDF79E9FE',NULL,3);
INSERT INTO "events" VALUES('acled:E4','acled','E4','2022-08-02','2022-08-02',1,'political_violence','Explosions/Remote violence','Suicide bomb','Political violence','[["JNIM: Group for Support of Islam and Muslims","actor1","Rebel group"],["Military Forces of Mali (2021-)","actor2","State forces"]]',0,2,NULL,NULL,NULL,13.1,-8.0725,1,5.0,'MLI','Mali','Koulikoro','Kati','Kati','Kati','Simulated.','Simulated source','report of E4','[]','','acled','active',1,'2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z',0,'2022-08-04T12:00:00.000000Z',NULL,'',NULL,X'3082F415C255E027104E30ADF56206FE',NULL,5);
INSERT INTO "events" VALUES('acled:E6','acled','E6','2022-08-03','2022-08-03',1,'political_violence','Explosions/Remote violence','Suicide bomb','Political violence','[["JNIM: Group for Support of Islam and Muslims","actor1","Rebel group"],["Military Forces of Mali (2021-)","actor2","State forces"]]',0,2,NULL,NULL,NULL,12.5,-8.0725,1,5.0,'MLI','Mali','Koulikoro','Kati','Kati','Kati','Simulated.','Simulated source','report of E6','[]','','acled','active',1,'2022-08-04T12:00:00.000000Z','2022-08-04T20:00:00.000000Z','2022-08-04T20:00:00.000000Z',0,'2022-08-04T20:00:00.000000Z',NULL,'',NULL,X'1DD3B6CE78B2ADFF8E57D97867A99C5B',NULL,6);
INSERT INTO "events" VALUES('acled:E5','acled','E5','2022-08-04','2022-08-04',1,'political_violence','Explosions/Remote violence','Suicide bomb','Political violence','[["JNIM: Group for Support of Islam and Muslims","actor1","Rebel group"],["Military Forces of Mali (2021-)","actor2","State forces"]]',0,2,NULL,NULL,NULL,12.4,-8.0725,1,5.0,'MLI','Mali','Koulikoro','Kati','Kati','Kati','Simulated.','Simulated source','report of E5','[]','','acled','active',1,'2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z',0,'2022-08-06T14:00:00.000000Z',NULL,'',NULL,X'221CC8E8B7DFB40234B8BA85F64C5EB8',NULL,7);
CREATE TABLE health (
      id INTEGER PRIMARY KEY,
      subject TEXT NOT NULL CHECK (subject IN
        ('source', 'delivery', 'template', 'rules', 'backup', 'rule', 'actors')),
      name TEXT NOT NULL,
      state TEXT NOT NULL,
      since TEXT NOT NULL,
      until TEXT,
      ending TEXT NOT NULL DEFAULT '',
      detail TEXT NOT NULL DEFAULT '',
      known_through TEXT,
      number INTEGER,
      UNIQUE (subject, name, state, since),
      CHECK ((until IS NULL) = (ending = ''))
    ) STRICT
    ;
INSERT INTO "health" VALUES(1,'delivery','email desk@example.org','dead_letter','2022-08-03T06:00:00.000000Z',NULL,'','410, gone',NULL,1);
INSERT INTO "health" VALUES(2,'delivery','file out','dead_letter','2022-08-03T06:00:00.000000Z',NULL,'','410, gone',NULL,1);
INSERT INTO "health" VALUES(3,'source','acled','truncated','2022-08-04T20:00:00.000000Z','2022-08-06T12:00:00.000000Z','ok','a full page without a cursor','2022-08-05',NULL);
INSERT INTO "health" VALUES(4,'backup','','backup_failed','2022-08-02T00:00:00.000000Z','2022-08-02T02:00:00.000000Z','ok','SIMULATED: the disk is full',NULL,NULL);
CREATE TABLE health_actors (
      name TEXT PRIMARY KEY NOT NULL,
      seen_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE holds (
      id INTEGER PRIMARY KEY,
      dispatch_id INTEGER NOT NULL REFERENCES dispatches(id) ON DELETE CASCADE,
      reason TEXT NOT NULL CHECK (reason IN ('INHIBITED', 'MUTED', 'SILENCED', 'REVIEW')),
      detail TEXT NOT NULL,
      since TEXT NOT NULL,
      until TEXT,
      ended_at TEXT
    ) STRICT
    ;
INSERT INTO "holds" VALUES(1,11,'SILENCED','silence 1 by desk: SIMULATED','2022-08-04T12:00:00.000000Z','2022-08-05T12:00:00.000000Z','2022-08-06T12:00:00.000000Z');
INSERT INTO "holds" VALUES(2,12,'SILENCED','silence 1 by desk: SIMULATED','2022-08-04T12:00:00.000000Z','2022-08-05T12:00:00.000000Z','2022-08-06T12:00:00.000000Z');
INSERT INTO "holds" VALUES(3,15,'SILENCED','silence 1 by desk: SIMULATED','2022-08-04T20:00:00.000000Z','2022-08-05T12:00:00.000000Z','2022-08-06T12:00:00.000000Z');
INSERT INTO "holds" VALUES(4,16,'SILENCED','silence 1 by desk: SIMULATED','2022-08-04T20:00:00.000000Z','2022-08-05T12:00:00.000000Z','2022-08-06T12:00:00.000000Z');
CREATE TABLE message_bodies (
      message_id TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
      format TEXT NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (message_id, format)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "message_bodies" VALUES('62a17dda0e08cbb5f3d7b9c06d4edcd3','warden','{"type":"warden.message","version":1,"id":"62a17dda0e08cbb5f3d7b9c06d4edcd3","created_at":"2022-08-06T12:00:00Z","receiver":"archive","language":"en","subject":"WARNING Violent event involving JNIM and Military Forces of Mali, 17 km SW of Bamako (Kati), 3 Aug, 3 days ago, 2 dead","severity":"warning","exercise":false,"notices":[{"id":"427ed8112940daaca972","alert_id":"18c3966fb4f42a7a","action":"alert","reason":"FIRST","at":"2022-08-04T20:00:00Z","severity":"warning","exercise":false,"first_line":"WARNING Violent event involving JNIM and Military Forces of Mali, 17 km SW of Bamako (Kati), 3 Aug, 3 days ago, 2 dead","rule":{"id":"near","version":"525299ab9f7fec71","title":"Violent event near Bamako"},"labels":{},"key":{},"kind":"event","facts":{"event_count":1,"reports":1,"fatalities":2,"nth_in_12_months":4,"previous_12_months":1,"reported_late_days":1,"first_day":"2022-08-03","last_day":"2022-08-03"},"changes":[],"events":[{"id":"E6","dataset":"acled","date":"2022-08-03","date_end":"2022-08-03","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","iso3":"MLI","country":"Mali","admin1":"Koulikoro","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","time_precision":1,"geo_precision":1,"location_error_km":5,"fatalities":2,"distance_km":17.156,"bearing_deg":206.2,"lat":12.5,"lon":-8.07,"civilian_targeting":false,"involved":[]}],"merged_into":[],"items":[],"citations":["Source: ACLED (Armed Conflict Location & Event Data), www.acleddata.com. Accessed 2022-08-04. Filters: Violent event near Bamako."]}]}');
INSERT INTO "message_bodies" VALUES('72706d6a026d64b8563221134c7b8c8a','warden','{"type":"warden.message","version":1,"id":"72706d6a026d64b8563221134c7b8c8a","created_at":"2022-08-02T06:00:00Z","receiver":"archive","language":"en","subject":"WARNING Violent event involving JNIM and Military Forces of Mali, 13 km NW of Bamako (Kati), 31 Jul, 2 days ago, 2 dead","severity":"warning","exercise":false,"notices":[{"id":"5f7cc433acac12ac71d5","alert_id":"7e6245d60068ed16","action":"alert","reason":"FIRST","at":"2022-08-02T06:00:00Z","severity":"warning","exercise":false,"first_line":"WARNING Violent event involving JNIM and Military Forces of Mali, 13 km NW of Bamako (Kati), 31 Jul, 2 days ago, 2 dead","rule":{"id":"near","version":"525299ab9f7fec71","title":"Violent event near Bamako"},"labels":{},"key":{},"kind":"event","facts":{"event_count":1,"reports":1,"fatalities":2,"nth_in_12_months":1,"previous_12_months":1,"reported_late_days":2,"first_day":"2022-07-31","last_day":"2022-07-31"},"changes":[],"events":[{"id":"E1","dataset":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","iso3":"MLI","country":"Mali","admin1":"Koulikoro","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","time_precision":1,"geo_precision":1,"location_error_km":5,"fatalities":2,"distance_km":13.472,"bearing_deg":325.9,"lat":12.74,"lon":-8.07,"civilian_targeting":false,"involved":[]}],"merged_into":[],"items":[],"citations":["Source: ACLED (Armed Conflict Location & Event Data), www.acleddata.com. Accessed 2022-08-02. Filters: Violent event near Bamako."]}]}');
INSERT INTO "message_bodies" VALUES('bab823d3adaf0713b699bafc72bdd4a8','warden','{"type":"warden.message","version":1,"id":"bab823d3adaf0713b699bafc72bdd4a8","created_at":"2022-08-06T12:00:00Z","receiver":"archive","language":"en","subject":"WARNING Violent event involving JNIM and Military Forces of Mali, 52 km N of Bamako (Kati), 2 Aug, 4 days ago, 2 dead","severity":"warning","exercise":false,"notices":[{"id":"2fd9df2a99d53e5aa7f2","alert_id":"35239042f76b25f6","action":"alert","reason":"FIRST","at":"2022-08-04T12:00:00Z","severity":"warning","exercise":false,"first_line":"WARNING Violent event involving JNIM and Military Forces of Mali, 52 km N of Bamako (Kati), 2 Aug, 4 days ago, 2 dead","rule":{"id":"near","version":"525299ab9f7fec71","title":"Violent event near Bamako"},"labels":{},"key":{},"kind":"event","facts":{"event_count":1,"reports":1,"fatalities":2,"nth_in_12_months":4,"previous_12_months":1,"reported_late_days":2,"first_day":"2022-08-02","last_day":"2022-08-02"},"changes":[],"events":[{"id":"E4","dataset":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","iso3":"MLI","country":"Mali","admin1":"Koulikoro","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","time_precision":1,"geo_precision":1,"location_error_km":5,"fatalities":2,"distance_km":51.535,"bearing_deg":351.6,"lat":13.1,"lon":-8.07,"civilian_targeting":false,"involved":[]}],"merged_into":[],"items":[],"citations":["Source: ACLED (Armed Conflict Location & Event Data), www.acleddata.com. Accessed 2022-08-04. Filters: Violent event near Bamako."]}]}');
CREATE TABLE messages (
      id TEXT PRIMARY KEY NOT NULL,
      receiver TEXT NOT NULL,
      subject TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      fallback TEXT NOT NULL DEFAULT '',
      exercise INTEGER NOT NULL DEFAULT 0 CHECK (exercise IN (0, 1)),
      created_at TEXT NOT NULL
    , digest INTEGER NOT NULL DEFAULT 0 CHECK (digest IN (0, 1))) STRICT
    ;
INSERT INTO "messages" VALUES('72706d6a026d64b8563221134c7b8c8a','archive','WARNING Violent event involving JNIM and Military Forces of Mali, 13 km NW of Bamako (Kati), 31 Jul, 2 days ago, 2 dead','warning','',0,'2022-08-02T06:00:00.000000Z',0);
INSERT INTO "messages" VALUES('a3922d9e17a1da4546cfd3a3bf3c54d0','desk','WARNING Violent event involving JNIM and Military Forces of Mali, 13 km NW of Bamako (Kati), 31 Jul, 2 days ago, 2 dead','warning','',0,'2022-08-02T06:00:00.000000Z',0);
INSERT INTO "messages" VALUES('45490434f71219ff3a5c5e02737870eb','archive','WARNING Violent event involving JNIM and Military Forces of Mali, 30 km N of Bamako (Kati), 31 Jul, 3 days ago, 2 dead (+2 more)','warning','',0,'2022-08-03T06:00:00.000000Z',0);
INSERT INTO "messages" VALUES('3a071d7e6a031ea4d6d78d0560720c6c','desk','WARNING Violent event involving JNIM and Military Forces of Mali, 30 km N of Bamako (Kati), 31 Jul, 3 days ago, 2 dead (+2 more)','warning','',0,'2022-08-03T06:00:00.000000Z',0);
INSERT INTO "messages" VALUES('8ddbf1f4326500fcbe0b91973fdaccb7','archive','CRITICAL Update: Violent event involving JNIM and Military Forces of Mali, 13 km NW of Bamako (Kati), 2 Aug, 2 days ago, 15 dead','critical','',0,'2022-08-04T06:00:00.000000Z',0);
INSERT INTO "messages" VALUES('87bde15cef7379c32a6de94b7a716c79','desk','CRITICAL Update: Violent event involving JNIM and Military Forces of Mali, 13 km NW of Bamako (Kati), 2 Aug, 2 days ago, 15 dead','critical','',0,'2022-08-04T06:00:00.000000Z',0);
INSERT INTO "messages" VALUES('5b35910d620b43fefd215dda0cc2850f','archive','WARNING Withdrawn: Violent event involving JNIM and Military Forces of Mali, 30 km N of Bamako (Kati), 31 Jul, 4 days ago, 2 dead','warning','',0,'2022-08-04T12:00:00.000000Z',0);
INSERT INTO "messages" VALUES('0a77e04e2e1566d5949ea63122921f67','desk','WARNING Withdrawn: Violent event involving JNIM and Military Forces of Mali, 30 km N of Bamako (Kati), 31 Jul, 4 days ago, 2 dead','warning','',0,'2022-08-04T12:00:00.000000Z',0);
INSERT INTO "messages" VALUES('bab823d3adaf0713b699bafc72bdd4a8','archive','WARNING Violent event involving JNIM and Military Forces of Mali, 52 km N of Bamako (Kati), 2 Aug, 4 days ago, 2 dead','warning','',0,'2022-08-06T12:00:00.000000Z',0);
INSERT INTO "messages" VALUES('bf63d753d51aaccabe51d7ec3a72f2e3','desk','WARNING Violent event involving JNIM and Military Forces of Mali, 52 km N of Bamako (Kati), 2 Aug, 4 days ago, 2 dead','warning','',0,'2022-08-06T12:00:00.000000Z',0);
INSERT INTO "messages" VALUES('62a17dda0e08cbb5f3d7b9c06d4edcd3','archive','WARNING Violent event involving JNIM and Military Forces of Mali, 17 km SW of Bamako (Kati), 3 Aug, 3 days ago, 2 dead','warning','',0,'2022-08-06T12:00:00.000000Z',0);
INSERT INTO "messages" VALUES('1f21064c9441ded9ccf8241d1258aebb','desk','WARNING Violent event involving JNIM and Military Forces of Mali, 17 km SW of Bamako (Kati), 3 Aug, 3 days ago, 2 dead','warning','',0,'2022-08-06T12:00:00.000000Z',0);
CREATE TABLE "meta" (
   "key" TEXT PRIMARY KEY NOT NULL,
   "value" TEXT NOT NULL
) STRICT;
INSERT INTO "meta" VALUES('installation','7a7d1376-78e4-4fab-81d3-279c17b59a38');
INSERT INTO "meta" VALUES('seeded:acled','ok');
INSERT INTO "meta" VALUES('historic_summary_at','2022-08-01T06:00:00.000000Z');
CREATE TABLE notices (
      id TEXT PRIMARY KEY NOT NULL,
      cycle_id INTEGER REFERENCES cycles(id),
      alert_id TEXT NOT NULL,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      key TEXT NOT NULL,
      action TEXT NOT NULL CHECK (action IN
        ('alert', 'update', 'reminder', 'resolved', 'cancel', 'summary')),
      reason TEXT NOT NULL,
      at TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      title TEXT NOT NULL,
      labels TEXT NOT NULL,
      facts TEXT NOT NULL,
      changes TEXT NOT NULL,
      items TEXT NOT NULL,
      exercise INTEGER NOT NULL DEFAULT 0 CHECK (exercise IN (0, 1))
    ) STRICT
    ;
INSERT INTO "notices" VALUES('5f7cc433acac12ac71d5',2,'7e6245d60068ed16','near','525299ab9f7fec71','[]','alert','FIRST','2022-08-02T06:00:00.000000Z','warning','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-07-31","last_day":"2022-07-31","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":325.9}],"datasets":["acled"],"known_at":"2022-08-02T06:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":1,"previous_12_months":1,"reported_late_days":2,"age_days":2,"raised_at":"2022-08-02T06:00:00+00:00","new_evidence":["acled:E1"],"map":{"points":[[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-08-01",0],["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",1]],"expected":null,"bound":null,"complete_through":"2022-08-01","window_days":null}}','[]','[]',0);
INSERT INTO "notices" VALUES('e19252b86ebfbadf2a3d',3,'08261debda43c0bb','near','525299ab9f7fec71','[]','alert','FIRST','2022-08-03T06:00:00.000000Z','warning','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-07-31","last_day":"2022-07-31","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E3","id":"E3","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.9,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":29.825,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":345.3}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":2,"previous_12_months":1,"reported_late_days":3,"age_days":3,"raised_at":"2022-08-03T06:00:00+00:00","new_evidence":["acled:E3"],"map":{"points":[[12.74,-8.0725,"2022-07-31",2],[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-08-01",0],["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",2]],"expected":null,"bound":null,"complete_through":"2022-08-02","window_days":null}}','[]','[]',0);
INSERT INTO "notices" VALUES('948258844c7fd5850683',3,'7782c733e02b0940','near','525299ab9f7fec71','[]','alert','FIRST','2022-08-03T06:00:00.000000Z','warning','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-08-01","last_day":"2022-08-01","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E2","id":"E2","dataset":"acled","source":"acled","date":"2022-08-01","date_end":"2022-08-01","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.2,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":49.173,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":188.9}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":3,"previous_12_months":1,"reported_late_days":2,"age_days":2,"raised_at":"2022-08-03T06:00:00+00:00","new_evidence":["acled:E2"],"map":{"points":[[12.9,-8.0725,"2022-07-31",2],[12.74,-8.0725,"2022-07-31",2],[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",2],["2022-08-01",1]],"expected":null,"bound":null,"complete_through":"2022-08-02","window_days":null}}','[]','[]',0);
INSERT INTO "notices" VALUES('5b58295012a5f496b8a9',3,'1b7e90d66c93a06c','cluster','c82531486ab48a32','[]','alert','FIRST','2022-08-03T06:00:00.000000Z','warning','Violent events near Bamako','[]','{"kind":"count","first_day":"2022-07-31","last_day":"2022-08-01","event_count":3,"reports":3,"fatalities":6,"largest_share":0.333333,"events":[{"uid":"acled:E2","id":"E2","dataset":"acled","source":"acled","date":"2022-08-01","date_end":"2022-08-01","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.2,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":49.173,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":188.9},{"uid":"acled:E3","id":"E3","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.9,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":29.825,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":345.3},{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":325.9}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z","value":3,"current":3,"measure":"events","window_days":20,"bound":{"gte":2.0},"since":"2022-07-31","until":"2022-08-02","title":"Violent events near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"measure":"events","window":20,"condition":{"gte":2.0},"location":"coded"},"max_age_days":30,"alerts_per_year":null,"reported_late_days":2,"age_days":2,"raised_at":"2022-08-03T06:00:00+00:00","new_evidence":["acled:E1","acled:E3","acled:E2"],"map":{"points":[[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"week","points":[["2021-01-26",0],["2021-02-02",0],["2021-02-09",0],["2021-02-16",0],["2021-02-23",0],["2021-03-02",0],["2021-03-09",0],["2021-03-16",0],["2021-03-23",0],["2021-03-30",0],["2021-04-06",0],["2021-04-13",0],["2021-04-20",0],["2021-04-27",0],["2021-05-04",0],["2021-05-11",0],["2021-05-18",0],["2021-05-25",0],["2021-06-01",0],["2021-06-08",0],["2021-06-15",0],["2021-06-22",0],["2021-06-29",0],["2021-07-06",0],["2021-07-13",0],["2021-07-20",0],["2021-07-27",0],["2021-08-03",0],["2021-08-10",0],["2021-08-17",0],["2021-08-24",0],["2021-08-31",0],["2021-09-07",0],["2021-09-14",0],["2021-09-21",0],["2021-09-28",0],["2021-10-05",0],["2021-10-12",0],["2021-10-19",0],["2021-10-26",0],["2021-11-02",0],["2021-11-09",0],["2021-11-16",0],["2021-11-23",0],["2021-11-30",0],["2021-12-07",0],["2021-12-14",0],["2021-12-21",0],["2021-12-28",0],["2022-01-04",0],["2022-01-11",0],["2022-01-18",0],["2022-01-25",0],["2022-02-01",0],["2022-02-08",0],["2022-02-15",0],["2022-02-22",0],["2022-03-01",0],["2022-03-08",0],["2022-03-15",0],["2022-03-22",0],["2022-03-29",0],["2022-04-05",0],["2022-04-12",0],["2022-04-19",0],["2022-04-26",0],["2022-05-03",0],["2022-05-10",0],["2022-05-17",0],["2022-05-24",0],["2022-05-31",0],["2022-06-07",0],["2022-06-14",0],["2022-06-21",0],["2022-06-28",0],["2022-07-05",0],["2022-07-12",0],["2022-07-19",0],["2022-07-26",0],["2022-08-02",3]],"expected":null,"bound":2,"complete_through":"2022-08-02","window_days":20}}','[]','[]',0);
INSERT INTO "notices" VALUES('7519e64df5f2d0cc8388',4,'7e6245d60068ed16','near','525299ab9f7fec71','[]','update','SEVERITY_RAISED','2022-08-04T06:00:00.000000Z','critical','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-08-02","last_day":"2022-08-02","event_count":1,"reports":1,"fatalities":15,"largest_share":1,"events":[{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":15,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":325.9}],"datasets":["acled"],"known_at":"2022-08-02T06:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":3,"previous_12_months":1,"reported_late_days":0,"age_days":2,"raised_at":"2022-08-02T06:00:00+00:00","map":{"points":[[12.2,-8.0725,"2022-08-01",2],[12.9,-8.0725,"2022-07-31",2],[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",1],["2022-08-01",2]],"expected":null,"bound":null,"complete_through":"2022-08-03","window_days":null}}','[["date","2022-07-31","2022-08-02"],["fatalities",2,15]]','[]',0);
INSERT INTO "notices" VALUES('2fd9df2a99d53e5aa7f2',5,'35239042f76b25f6','near','525299ab9f7fec71','[]','alert','FIRST','2022-08-04T12:00:00.000000Z','warning','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-08-02","last_day":"2022-08-02","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E4","id":"E4","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":13.1,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":51.535,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T12:00:00.000000Z","known_at":"2022-08-04T12:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":351.6}],"datasets":["acled"],"known_at":"2022-08-04T12:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":4,"previous_12_months":1,"reported_late_days":2,"age_days":2,"raised_at":"2022-08-04T12:00:00+00:00","new_evidence":["acled:E4"],"map":{"points":[[12.74,-8.0725,"2022-08-02",15],[12.2,-8.0725,"2022-08-01",2],[12.9,-8.0725,"2022-07-31",2],[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",1],["2022-08-01",3]],"expected":null,"bound":null,"complete_through":"2022-08-03","window_days":null}}','[]','[]',0);
INSERT INTO "notices" VALUES('ed269bfe536cc0403ab0',6,'08261debda43c0bb','near','525299ab9f7fec71','[]','cancel','WITHDRAWN_BY_SOURCE','2022-08-04T12:00:00.000000Z','warning','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-07-31","last_day":"2022-07-31","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E3","id":"E3","dataset":"acled","source":"acled","date":"2022-07-31","date_end":"2022-07-31","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.9,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":29.825,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-03T06:00:00.000000Z","known_at":"2022-08-03T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":345.3}],"datasets":["acled"],"known_at":"2022-08-03T06:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":1,"previous_12_months":0,"reported_late_days":3,"age_days":4,"raised_at":"2022-08-03T06:00:00+00:00","merged_into":[{"uid":"acled:E1","id":"E1","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":15,"lat":12.74,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":13.472,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-02T06:00:00.000000Z","known_at":"2022-08-02T06:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":325.9},{"uid":"acled:E4","id":"E4","dataset":"acled","source":"acled","date":"2022-08-02","date_end":"2022-08-02","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":13.1,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":51.535,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T12:00:00.000000Z","known_at":"2022-08-04T12:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":351.6}],"withdrawn":["E3"],"map":{"points":[[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-08-01",0],["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",0]],"expected":null,"bound":null,"complete_through":"2022-08-03","window_days":null}}','[]','[]',0);
INSERT INTO "notices" VALUES('427ed8112940daaca972',7,'18c3966fb4f42a7a','near','525299ab9f7fec71','[]','alert','FIRST','2022-08-04T20:00:00.000000Z','warning','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-08-03","last_day":"2022-08-03","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E6","id":"E6","dataset":"acled","source":"acled","date":"2022-08-03","date_end":"2022-08-03","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.5,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":17.156,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-04T20:00:00.000000Z","known_at":"2022-08-04T20:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":206.2}],"datasets":["acled"],"known_at":"2022-08-04T20:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":4,"previous_12_months":1,"reported_late_days":1,"age_days":1,"raised_at":"2022-08-04T20:00:00+00:00","new_evidence":["acled:E6"],"map":{"points":[[13.1,-8.0725,"2022-08-02",2],[12.74,-8.0725,"2022-08-02",15],[12.2,-8.0725,"2022-08-01",2],[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",0],["2022-08-01",4]],"expected":null,"bound":null,"complete_through":"2022-08-03","window_days":null}}','[]','[]',0);
INSERT INTO "notices" VALUES('02db8583877b874fd35d',9,'e666444a1b3f5167','near','525299ab9f7fec71','[]','alert','FIRST','2022-08-06T14:00:00.000000Z','warning','Violent event near Bamako','[]','{"kind":"event","first_day":"2022-08-04","last_day":"2022-08-04","event_count":1,"reports":1,"fatalities":2,"largest_share":1,"events":[{"uid":"acled:E5","id":"E5","dataset":"acled","source":"acled","date":"2022-08-04","date_end":"2022-08-04","event_type":"Explosions/Remote violence","sub_event_type":"Suicide bomb","disorder_type":"Political violence","actors":[{"name":"JNIM: Group for Support of Islam and Muslims","role":"actor1","type":"Rebel group"},{"name":"Military Forces of Mali (2021-)","role":"actor2","type":"State forces"}],"matched_actors":[],"actor_groups":[],"civilian_targeting":false,"time_precision":1,"fatalities":2,"lat":12.4,"lon":-8.0725,"geo_precision":1,"location_error_km":5,"fatalities_low":null,"fatalities_high":null,"fatalities_civilian":null,"iso3":"MLI","country":"Mali","admin1":"Koulikoro","admin2":"Kati","admin3":"Kati","location":"Kati","certainty":"certain","place":"bamako","place_title":"Bamako","place_lat":12.6392,"place_lon":-8.0029,"distance_km":27.522,"border_km":null,"border_neighbour":null,"border_of":null,"side":null,"first_seen_at":"2022-08-06T14:00:00.000000Z","known_at":"2022-08-06T14:00:00.000000Z","reporters":"Simulated source","notes":"Simulated.","url":"","bearing_deg":196.0}],"datasets":["acled"],"known_at":"2022-08-06T14:00:00.000000Z","title":"Violent event near Bamako","description":"","runbook":"","names":{},"translations":{},"references":[],"labels":{},"condition":{"within_km":150.0,"places":["Bamako"],"location":"coded"},"max_age_days":30,"alerts_per_year":null,"nth_in_12_months":5,"previous_12_months":1,"reported_late_days":2,"age_days":2,"raised_at":"2022-08-06T14:00:00+00:00","new_evidence":["acled:E5"],"map":{"points":[[12.5,-8.0725,"2022-08-03",2],[13.1,-8.0725,"2022-08-02",2],[12.74,-8.0725,"2022-08-02",15],[12.2,-8.0725,"2022-08-01",2],[12.7446,-8.0725,"2021-01-01",2]]},"series":{"unit":"month","points":[["2020-09-01",0],["2020-10-01",0],["2020-11-01",0],["2020-12-01",0],["2021-01-01",1],["2021-02-01",0],["2021-03-01",0],["2021-04-01",0],["2021-05-01",0],["2021-06-01",0],["2021-07-01",0],["2021-08-01",0],["2021-09-01",0],["2021-10-01",0],["2021-11-01",0],["2021-12-01",0],["2022-01-01",0],["2022-02-01",0],["2022-03-01",0],["2022-04-01",0],["2022-05-01",0],["2022-06-01",0],["2022-07-01",0],["2022-08-01",5]],"expected":null,"bound":null,"complete_through":"2022-08-05","window_days":null}}','[]','[]',0);
CREATE TABLE "poll_runs" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "source" TEXT NOT NULL,
   "kind" TEXT NOT NULL,
   "started_at" TEXT NOT NULL,
   "ended_at" TEXT,
   "state" TEXT,
   "sentence" TEXT NOT NULL DEFAULT '',
   "envelope" TEXT NOT NULL DEFAULT '{}',
   "memory_before" TEXT NOT NULL,
   "memory_after" TEXT,
   "pages" INTEGER NOT NULL DEFAULT 0,
   "served" INTEGER NOT NULL DEFAULT 0,
   "new" INTEGER NOT NULL DEFAULT 0,
   "revised" INTEGER NOT NULL DEFAULT 0,
   "unchanged" INTEGER NOT NULL DEFAULT 0,
   "older" INTEGER NOT NULL DEFAULT 0,
   "duplicate" INTEGER NOT NULL DEFAULT 0,
   "foreign_rows" INTEGER NOT NULL DEFAULT 0,
   "rejected" INTEGER NOT NULL DEFAULT 0,
   "retracted" INTEGER NOT NULL DEFAULT 0,
   "reinstated" INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "poll_runs" VALUES(1,'acled','poll','2022-08-01T06:00:00.000000Z','2022-08-01T06:00:00.000000Z','ok','','{}','{}','{"at": 1}',1,1,1,0,0,0,0,0,0,0,0);
INSERT INTO "poll_runs" VALUES(2,'acled','poll','2022-08-02T06:00:00.000000Z','2022-08-02T06:00:00.000000Z','ok','','{}','{"at": 1}','{"at": 2}',1,1,1,0,0,0,0,0,0,0,0);
INSERT INTO "poll_runs" VALUES(3,'acled','poll','2022-08-03T06:00:00.000000Z','2022-08-03T06:00:00.000000Z','ok','','{}','{"at": 2}','{"at": 4}',1,2,2,0,0,0,0,0,0,0,0);
INSERT INTO "poll_runs" VALUES(4,'acled','poll','2022-08-04T06:00:00.000000Z','2022-08-04T06:00:00.000000Z','ok','','{}','{"at": 4}','{"at": 5}',1,1,0,1,0,0,0,0,0,0,0);
INSERT INTO "poll_runs" VALUES(5,'acled','poll','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','ok','','{}','{"at": 5}','{"at": 6}',1,1,1,0,0,0,0,0,0,0,0);
INSERT INTO "poll_runs" VALUES(6,'acled','poll','2022-08-04T12:00:00.000000Z','2022-08-04T12:00:00.000000Z','ok','','{}','{"at": 6}','{"at": 7}',1,0,0,0,0,0,0,0,0,1,0);
INSERT INTO "poll_runs" VALUES(7,'acled','poll','2022-08-04T20:00:00.000000Z','2022-08-04T20:00:00.000000Z','truncated','a full page without a cursor','{}','{"at": 7}',NULL,1,1,1,0,0,0,0,0,0,0,0);
INSERT INTO "poll_runs" VALUES(8,'acled','poll','2022-08-06T12:00:00.000000Z','2022-08-06T12:00:00.000000Z','ok','','{}','{"at": 7}','{"at": 8}',1,1,0,0,1,0,0,0,0,0,0);
INSERT INTO "poll_runs" VALUES(9,'acled','poll','2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z','ok','','{}','{"at": 8}','{"at": 9}',1,1,1,0,0,0,0,0,0,0,0);
CREATE TABLE projections (
      id INTEGER PRIMARY KEY,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      key TEXT NOT NULL,       -- JSON, as in alerts
      period TEXT NOT NULL,
      first_day TEXT NOT NULL,
      last_day TEXT NOT NULL,
      on_day TEXT NOT NULL,
      measure TEXT NOT NULL,
      method TEXT NOT NULL,
      so_far REAL NOT NULL,
      projected REAL NOT NULL,
      low REAL NOT NULL,
      high REAL NOT NULL,
      made_at TEXT NOT NULL,
      observed REAL,           -- NULL until the period is over
      scored_at TEXT,
      UNIQUE (rule_id, rule_version, key, period, on_day)
    ) STRICT
    ;
CREATE TABLE "raw_pages" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "source" TEXT NOT NULL,
   "dataset" TEXT NOT NULL,
   "at" TEXT NOT NULL,
   "rows" INTEGER NOT NULL,
   "body" BLOB NOT NULL
) STRICT;
INSERT INTO "raw_pages" VALUES(1,'acled','acled','2022-08-01T06:00:00.000000Z',1,X'78017D53DF6F1A310C7EDF5F11F525205D19DCE8DA4DCAC3A4AD135BE9267844280A89B946CDC5A7FC60E3BFAFB3030AAA34E9747776ECCFF6F739ABD5D5AF87AF57EB8AADEEA69FD6EB770BD018CCC0A8A42224C195766078C522E6A0415A233825900376E093A43810E5956C0BA3F233A8C7F5A462E5199E4749F0E67F9105407601B48D16BDA07C4D680D86BDE01D3A9BAC564EEE2C3AF01A4E0DA47D07827FFBDB392C79F1FD025A4CC0CE0263DEC8BEDB3E7899ADB606D806DB0DE1181B696208B23FFD7DAC750EA174C210C5E04BF90EBC6AA9E68FC7D9FC33FB1E30776C8B812D73D761480CB76C169D6A99F286CD7374B68D542650E3854E029890D9175BC0061C6B0A0627B6CEE1E796665661CFEE91888F0576AE9C65FFF8BD1E5E22D627C46522D64A3F94C38784A9ED8E90949704D6904CBE11F7CA45A8D896342EBC4214F5B9251DFE118FE82F42E4936D9EDE7A8FE88713A79298D4A3DBE9F463C51CC9787D371ADFD637156B002FD57548FA92621242C0209F5B71331A578CC4F820F8FC61461369CC3E15FDCBE0642BD35A3F11FC2766679F31E0D157938FC08E26011CCC639193C3D36E44C197B6CDD42B9811E50428BA01E9FBEA3FECFBE954F03EAAC8D0EF7F520D2D04119C83139C020F372477E51618494C140E872F779426CA');
INSERT INTO "raw_pages" VALUES(2,'acled','acled','2022-08-02T06:00:00.000000Z',1,X'78017D534D6FDB300CBDEF5710BD3801DC2C76D7251BA0C30EED906D2986E41804822233AE505934F491ADFDF5A3966F0CD8250EA9A747F23D6AB5BA79A86ED625AC3E8DA7EBF5BB056AF2CDA05151058CA250DA6253941028798DD234A278A838C61DBA28198622FF44D3E128FF19D4E3BA2E6152C25D35BC844974CD7FA19942F61EB509869CA84AD0CCD7927F15454FD644A395953B43169DC6530BF1B547EEE9776F29DF0BEF17D85144B80086B491FB7EF7E06532DA34081BEA36CCD398C023A397FBD39FC75A97144A47F2410CBEE4EFC0A98E6B7E7B9ACD3FC3574FA9872D7958A6BE271F81B6300B5675A05C03F314ACE90297F1DC78D69309B280FB620BDCA0853673142CD725FDDCF0CCCABFC223B1F221D3CE95359015AE6E87D78CF589711959B5DC0FDF2986CCA9CD8E9994934CD6B251AE158FCA062C61CB26675D3108B6EC1C494BBFC413B92B887C36EDF3BFD923FBE1C4AA28AA7A34F9508265136FA7A3F1A4BE2FA145BAF6D612BBCB7E49F49EBC7CE9C4FD685C025B71278AF98F19CFA329B998DDCF6373AC9ACEB84A14DF2959F3429E8EB99A734C760C99E0101E8B9C128E3723886269BAC49D6233E23B1EB36BC8EE9EF387753F9D8A628FCA26FC5DFFA85ADE065637792B0AC61DDE47EAF3236824CB70F52CF2721F9EC6B40456FB63093C6E7C336E4B676886BDB1F0A314F570F8075EB73967');
INSERT INTO "raw_pages" VALUES(3,'acled','acled','2022-08-03T06:00:00.000000Z',2,X'7801ED534D8FDA3010BDF757585C02923725415B964A3EF4C056B46555C11121CB2443D65AC713D90E2DFBEB3B5E081FAAD4EEA987552F84B19FDF7CBC79AB556F9AF738EB4D47BD3567ABC9F096B3C970BC5EBF5B4081AEEC972A280F4124AA3050269C796C5D0152972299E614C30E6C900403117F82AE218D7FFAF930CF39BBE32C1B5CA224D8F24FC848201B0785F61AADC8382B88AD42B717498346075D2823771A0DD8024E05847D0354D1CFC6607CE7DF2FA0C600EC02E8DB8D3C547B002F5B5DE812D806EB0DF194DA53C3E0E4E1F67B97EB924215019D17FD4FF1DBB7AAA69C5F1E66F38FECB3C3B6615B746CD9360DBAC070CB66DEA89A295BB279EB8DAE3DA57154789C261164141E922D600386559123A1695DD2CF35F5ACDC9EDD23CDDD47DAB9329AC5F96637836BC628C8B1B940538BF5D09B64409C85DE1193B292C82A92C956E25E190F9C6D49E23857F082043B47D2E00FF180F60A221F75F5F8FB69C77EBC312A882C4F89CE90863777E9709CD3665580D7D21A2471492E09CEA1934FB5B84D879C91122391CCBFCDA89D025B1BA2F8B16B8A55596B9B89E42BB6463FA1C3EE2CA73322EB422238865D92D381A5C5F02259EABAA542A14CE98D83281A90B8E7F3E3AE9F6E457240450D5E763FA88A968186DB3A2312C21DCDD136D101A5A4295C7922EEF6D91723CE3E7046ED86676DB7788646D833CD3D6D433118BCC68823CAFD17238E391BBDD2891DF4BF15DF8E15276FD88A71FBFF89157F019A8A701F');
INSERT INTO "raw_pages" VALUES(4,'acled','acled','2022-08-04T06:00:00.000000Z',1,X'78017D534D6FDB300CBDEF5708BD38015C2FF6D6A51BA0C30EED906D2E86E41804822231AE505934F4912DFDF5A39A6F0CD8250EA9A747F23D6AB9BC79A86F56255B7E9E4C57AB777350E8F548CB2803445E48654117250B98BC0261342F1E6A8A610B2E0A8201CF3FD1F450E53FA366D23425BB2F5933BE440970FA7FC84C20060FCA04838ED72553C4D6A1DFF162406BA251D28AAD410B4EC1A981B81B803AFA3358CCF7C2FB39F418815D00435A8B7DB77BF022196534B035F66BE2D126D0C0E0C5FEF4D7B1D6258554117DE0A3AFF93B72B2A79ADF9F66ED17F6CD631AD8063D5BA461401F196ED82C58D933E9346B53B0A60F54C653E3594D22C8F2ED8BCD610D967599A320B52EE95B43334BBF638F48BA874CDB4A6B58D6B7BE1D5F333627C64524D5723F74A71813A7325B62924E10594736B98E3F4A1BA0641BB238EB0A81D77797A1B0F89B3FA1BBC28867D33DFF9B3DD21F4EAC8CBC6EAAE9C7925972F1F6BE9A4C1B22EF00AFCDB548F6926102BC472F5E7A7E574D4A465E7CE045FB734603294C2E66FBF3DC144BDD1B57F3E207266B5ED0E331D7508EC88E21111CC2639153C2D16A045E2C4C9FA853D015DDF1906D03B2F79C3F6CFBE994177B5476E16DFBA3EC681D48DEE42D2F0877781E69C86F400B92E1EA55E4ED3EBF0C52E753C968DCF86ADC06CFD00C7B25E1AB14D578FC17E15D393A');
INSERT INTO "raw_pages" VALUES(5,'acled','acled','2022-08-04T12:00:00.000000Z',1,X'78017D534D6FDB300CBDEF5708BD28015C2F76D3AD1BA0C30EED906D2E86E41804822233AE505934F4912DFDF5A3966F0CD8250EA9A747F23D6AB9BC799CDEAC0AB6FC34F9B05ABD9B8346DF8E5A15558028B8D2165A5EB080C96B90A615FC714A316CC145493010F9279A1ECAFC67544FEABA600F05ABC7972809AEFD1F3213C8C18336C1A01355C134B175E877820F684D345A59B93568C16938351077035047BF078BF95E783F871E23B00B60486BB9EF760F5E24A34D0B6C8DFD9A785A136860F0727FFAF358EB9242E9883E88D197FC1D39D553CD6FCFB3E633FBEA310D6C839E2DD230A08F0C376C16ACEA99722D6B52B0A60F54C653E3594D22A828DC179BC31A2CEB320727B52EE91B43332BBF634F48BA874CDB286B58D6B7BA1D5F33D627C64524D5723F74878F89539B2D31292789AC239B5C279E940D50B00D599C758520C8B073242DFE12CFE8AE20F2C5742FFF668FEC8713ABA2A8EE4A32CF9287B70FE5E4637D5FB00EF0DA5A8B642ED925C17BF4F2B517F7E5A460E4C49DE0CD8F198DA331B998CDCF5353ACDADEB84AF0EF98AC79458FC75C4D39223B864470088F454E09478B11045F983E51A3D09674C743360DC8DC73FEB0EBA753C1F7A8ECC1DFDD8FAAA365207193B78213EEF038D2905F402B4985AB379177FBFC2EA605AB48709A37BE19B7C13336E3DE48F832453D1EFF010DD43902');
INSERT INTO "raw_pages" VALUES(6,'acled','acled','2022-08-04T20:00:00.000000Z',1,X'78017D534D6FDB300CBDEF5708BD38015C2F76D7AC1BA0C30EED906D2E86E41804822231AE505934F4912DFDF5A3966F0CD8250EA9A747F23D6AB9BC799CDEAC4AB6FC3499AE56EFE6A0D0EB9196510688BC90CA822E4A16307905C2685E3C4E29862DB82808063CFF44D34395FF8C9A49D394ECA16477E34B9400A7FF87CC0462F0A04C30E8785D32456C1DFA1D2F06B4261A25ADD81AB4E0149C1A88BB01A8A3DF83C57C2FBC9F438F11D80530A4B5D877BB072F925146035B63BF261E6D020D0C5EEC4F7F1E6B5D524815D1073EFA92BF23277BAAF9ED79D67E665F3DA6816DD0B3451A06F491E186CD82953D934EB336056BFA40653C359ED524829AC27DB139ACC1B22E7314A4D6257D6B6866E977EC0949F790695B690DCBFAD6B7E36BC6E6C4B888A45AEE87EE1463E254664B4CD20922EBC826D7F1276903946C4316675D217032EC1C098BBFF833BA2B887831DDCBBFD923FBE1C4CAC8EBA6BA2F99250F6F1FAAC9C786820EF0DA5A8B642ED925C07BF4E2B5E7F7D5A464E4C41D2FDA1F331A476172319B9FA7A658EADEB89A17DF3159F38A1E8FB9867244760C89E0101E8B9C128E1623F06261FA448D82AEE88E876C1A90B9E7FC61D74FA7BCD8A3B2077F773FCA8E9681C44DDEF2827087C79186FC02B42015AEDE44DEEDF3BBF850B29A04A779E39B711B3C6333EE8D84AF5254E3F11F26C6390D');
INSERT INTO "raw_pages" VALUES(7,'acled','acled','2022-08-06T14:00:00.000000Z',1,X'78017D534D6FDB300CBDEF5708BD28015C2FF69AAE1BA0C30EED906D2E86E41804822233AE505934F4912DFDF5A3966F0CD8250EA9A747F23D6AB9BC799CDEAC0AB6FC34B95FADDECD41A36F47AD8A2A40145C690B2D2F58C0E43548D30AFE38A518B6E0A2241888FC134D0F65FE33AA27755DB08782DD8D2F51125CFB3F64269083076D824127AA826962EBD0EF041FD09A68B4B2726BD082D3706A20EE06A08E7E0F16F3BDF07E0E3D466017C090D672DFED1EBC48469B16D81AFB35F1B426D0C0E0E5FEF4E7B1D62585D2117D10A32FF93B72AAA79ADF9E67CD67F6D5631AD8063D5BA461401F196ED82C58D533E55AD6A4604D1FA88CA7C6B39A445051B82F36873558D6650E4E6A5DD2378666567EC79E90740F99B651D6B0AC6F753BBE66AC4F8C8B48AAE57EE80E1F13A7365B62524E12594736B94E3C291BA0601BB238EB0A419061E7485AFC259ED15D41E48BE95EFECD1ED90F27564551D5E55DC12C7978FB504E3ED6D3827580D7D65A2473C92E09DEA397AFBD9896938291131F046F7ECC681C8DC9C56C7E9E9A62D5F6C655827FC764CD2B7A3CE66ACA11D931248243782C724A385A8C20F8C2F4891A85B6A43B1EB26940E69EF3875D3F9D0ABE47650FFEEE7E541D2D03899BBC159C7087C79186FC025A492A5CBD89BCDBE777715FB08A14A279E39B711B3C6333EE8D842F53D4E3F11F2508390F');
CREATE TABLE "rejects" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "source" TEXT NOT NULL,
   "dataset" TEXT NOT NULL,
   "source_id" TEXT NOT NULL,
   "reason" TEXT NOT NULL,
   "raw" TEXT NOT NULL,
   "line" INTEGER,
   "fingerprint" BLOB NOT NULL,
   "first_at" TEXT NOT NULL,
   "last_at" TEXT NOT NULL,
   "times" INTEGER NOT NULL
) STRICT;
CREATE TABLE releases (
      dispatch_id INTEGER PRIMARY KEY REFERENCES dispatches(id) ON DELETE CASCADE,
      at TEXT NOT NULL,
      who TEXT NOT NULL
    ) STRICT
    ;
CREATE TABLE route_groups (
      receiver TEXT NOT NULL,
      group_key TEXT NOT NULL,
      sent_at TEXT NOT NULL,
      PRIMARY KEY (receiver, group_key)
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE silence_ends (
      silence_id INTEGER PRIMARY KEY REFERENCES silences(id) ON DELETE CASCADE,
      at TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "silence_ends" VALUES(1,'2022-08-06T12:00:00.000000Z');
CREATE TABLE silences (
      id INTEGER PRIMARY KEY,
      matchers TEXT NOT NULL,
      starts_at TEXT NOT NULL,
      ends_at TEXT NOT NULL,
      comment TEXT NOT NULL CHECK (comment <> ''),
      who TEXT NOT NULL,
      created_at TEXT NOT NULL,
      expired_at TEXT,
      expired_by TEXT,
      CHECK (ends_at > starts_at),
      CHECK ((expired_at IS NULL) = (expired_by IS NULL))
    ) STRICT
    ;
INSERT INTO "silences" VALUES(1,'["rule=near"]','2022-08-04T06:00:00.000000Z','2022-08-05T12:00:00.000000Z','SIMULATED','desk','2022-08-04T06:00:00.000000Z',NULL,NULL);
CREATE TABLE "source_state" (
   "source" TEXT PRIMARY KEY NOT NULL,
   "kind" TEXT NOT NULL,
   "dataset" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "sentence" TEXT NOT NULL,
   "since" TEXT NOT NULL,
   "memory" TEXT NOT NULL,
   "complete_through" TEXT,
   "no_data_since" TEXT,
   "last_poll_at" TEXT,
   "last_ok_at" TEXT,
   "last_change_at" TEXT,
   "failures" INTEGER NOT NULL
) STRICT;
INSERT INTO "source_state" VALUES('acled','listed','acled','ok','','2022-08-06T12:00:00.000000Z','{"at": 9}','2022-08-05',NULL,'2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z','2022-08-06T14:00:00.000000Z',0);
CREATE TABLE verdicts (
      id INTEGER PRIMARY KEY,
      alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
      verdict TEXT NOT NULL CHECK (verdict IN ('true', 'false', 'unverified')),
      note TEXT NOT NULL,
      at TEXT NOT NULL,
      who TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "verdicts" VALUES(1,'08261debda43c0bb','true','SIMULATED','2022-08-04T12:00:00.000000Z','desk');
INSERT INTO "verdicts" VALUES(2,'1b7e90d66c93a06c','true','SIMULATED','2022-08-04T12:00:00.000000Z','desk');
CREATE INDEX "idx_events_revised_at"
    ON "events" ("revised_at");
CREATE INDEX "idx_events_dataset_event_date"
    ON "events" ("dataset", "event_date");
CREATE INDEX "idx_event_revisions_at"
    ON "event_revisions" ("at");
CREATE INDEX "idx_raw_pages_at"
    ON "raw_pages" ("at");
CREATE INDEX "idx_poll_runs_source_started_at"
    ON "poll_runs" ("source", "started_at");
CREATE UNIQUE INDEX "idx_rejects_fingerprint"
    ON "rejects" ("fingerprint");
CREATE INDEX "idx_rejects_source_last_at"
    ON "rejects" ("source", "last_at");
CREATE INDEX "idx_cycles_at"
    ON "cycles" ("at");
CREATE INDEX alerts_rule ON alerts (rule_id, state);
CREATE INDEX alert_evidence_uid ON alert_evidence (uid);
CREATE INDEX notices_alert ON notices (alert_id, at);
CREATE INDEX decisions_alert ON decisions (alert_id, id);
CREATE INDEX dispatches_waiting ON dispatches (due_at)
      WHERE message_id IS NULL AND withheld_reason IS NULL
    ;
CREATE INDEX dispatches_message ON dispatches (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX dispatch_alerts_dispatch ON dispatch_alerts (dispatch_id);
CREATE INDEX deliveries_unfinished ON deliveries (channel, due_at)
      WHERE state IN ('pending', 'sending', 'retry')
    ;
CREATE INDEX deliveries_recipient ON deliveries (channel, target);
CREATE INDEX delivery_attempts_delivery ON delivery_attempts (delivery_id);
CREATE INDEX "idx_actions_at"
    ON "actions" ("at");
CREATE INDEX silences_end ON silences (ends_at);
CREATE INDEX acknowledgements_alert ON acknowledgements (alert_id, id);
CREATE INDEX verdicts_alert ON verdicts (alert_id, id);
CREATE INDEX dispatches_superseded ON dispatches (superseded_by)
      WHERE superseded_by IS NOT NULL
    ;
CREATE INDEX holds_dispatch ON holds (dispatch_id);
CREATE UNIQUE INDEX holds_open ON holds (dispatch_id) WHERE ended_at IS NULL;
CREATE INDEX route_groups_sent ON route_groups (sent_at);
CREATE INDEX health_actors_seen ON health_actors (seen_at);
CREATE INDEX calibrations_rule ON calibrations (rule_id, id);
CREATE UNIQUE INDEX health_open ON health (subject, name) WHERE until IS NULL;
COMMIT;
PRAGMA application_id = 1463898692;
PRAGMA user_version = 6;
