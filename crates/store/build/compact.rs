//! SQL without comments, and without the blanks that part nothing.

/// The same statements in fewer bytes: a third of what ships would be said to readers alone.
pub fn compact(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut blank = false;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        if first.is_whitespace() || token.starts_with("--") {
            blank = true;
            continue;
        }
        let parts = |c: char| !matches!(c, '(' | ')' | ',' | ';' | '=');
        if blank && out.chars().next_back().is_some_and(parts) && parts(first) {
            out.push(' ');
        }
        out.push_str(token);
        blank = false;
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
