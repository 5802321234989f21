-- ?1: id of a dispute.
-- What was upheld of it takes off nothing, as if it had never been.
UPDATE adjustment SET until_on = booked_on WHERE id = 'dispute/' || ?1
