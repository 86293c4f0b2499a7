-- What the layouts share: text to numbers, local times to instants. Run once a connection.

-- A number as people write it: thousands may be grouped by the other mark. Anything else is null.
create temp macro number_of(written, decimal_mark) as
case
    when decimal_mark = ','
        then
            case
                when regexp_full_match(trim(written), '[-+]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?')
                    then replace(replace(trim(written), '.', ''), ',', '.')
            end
    when regexp_full_match(trim(written), '[-+]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]*)?([eE][-+]?[0-9]+)?')
        then replace(trim(written), ',', '')
    when regexp_full_match(trim(written), '[-+]?\.[0-9]+')
        then trim(written)
end;

create temp macro offset_a_day_before(at_local, zone) as
timezone(zone, timezone(zone, at_local - interval 1 day))
- timezone('UTC', timezone(zone, at_local - interval 1 day));

-- The instant of a local time. Where clocks are put back and a time comes twice, it is the first of
-- the two (Python's fold=0); the database's own choice would be the second.
create temp macro local_instant(at_local, zone) as
case
    when
        timezone(zone, timezone('UTC', at_local) - offset_a_day_before(at_local, zone)) = at_local
        then timezone('UTC', at_local) - offset_a_day_before(at_local, zone)
    else timezone(zone, at_local)
end;

-- A floating point number without the .0 that whole numbers get; what is no number is null.
create temp macro whole_text(x) as
case
    when isnan(x) then null
    when x = floor(x) and abs(x) < 9e15 then cast(cast(x as bigint) as varchar)
    else cast(x as varchar)
end;

-- A time as ISO 8601 writes it: with an offset it is an instant, without one it is local. Else null.
create temp macro iso_instant(written, zone) as
case
    when regexp_full_match(written, '\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?')
        then local_instant(try_cast(written as timestamp), zone)
    when regexp_full_match(written, '\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)')
        then try_cast(written as timestamp with time zone)
end;

-- An instant that can be one; what is not is null.
create temp macro accepted(instant, earliest, latest) as
case when instant >= earliest and instant < latest then instant end;

-- A rejected row as text that Postgres can keep: it refuses the character of code 0.
create temp macro as_json(written) as replace(cast(to_json(written) as varchar), '\u0000', '\ufffd');

create temp macro has_nul(written) as contains(cast(written as varchar), chr(0));

-- Yes and no as exports write consent: true, false, or null for any other word (pending, a blank).
create temp macro consent_word(written) as
case
    when
        lower(trim(written)) in (
            'yes', 'y', 'true', 't', '1', 'on', 'subscribed', 'opted in', 'opted-in', 'opt-in',
            'opt in', 'granted', 'evet', 'ja', 'oui', 'sí', 'si', 'sì', 'sim', 'tak'
        )
        then true
    when
        lower(trim(written)) in (
            'no', 'n', 'false', 'f', '0', 'off', 'unsubscribed', 'not subscribed', 'not_subscribed',
            'nonsubscribed', 'non-subscribed', 'opted out', 'opted-out', 'opt-out', 'opt out', 'cleaned',
            'transactional', 'denied',
            'hayır', 'hayir', 'nein', 'non', 'nee', 'não', 'nao', 'nie'
        )
        then false
end;

-- Whether a customer may be contacted, from a column that says so and one that says the opposite. False wins.
create temp macro consent_of(allowed, denied) as
case
    when consent_word(allowed) = false or consent_word(denied) = true then false
    else coalesce(consent_word(allowed), not consent_word(denied))
end;
