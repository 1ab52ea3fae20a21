-- What each process that delivers holds of a connection's places. number: another one at each renewal; who has seen it
-- unchanged for the length of the lease (in microseconds) knows that the places are free. No clock is compared.
CREATE TABLE allotments (
    connection text NOT NULL,
    holder text NOT NULL,
    places integer NOT NULL CHECK (places >= 0),
    number bigint NOT NULL,
    lease bigint NOT NULL,
    PRIMARY KEY (connection, holder)
) WITH (fillfactor = 50);
