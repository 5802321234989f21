-- Who has a warning of a default in the group: few, and looked for whenever the record of any customer changed.
CREATE INDEX alert_of_group ON alert (customer_key) WHERE ended_on IS NULL AND kind = 'group-default';
