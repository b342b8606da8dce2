-- Twin of ../../sqlite: what is changed here is changed there.

-- Where somebody goes on who saw an event.
CREATE INDEX events_id ON events (id);
