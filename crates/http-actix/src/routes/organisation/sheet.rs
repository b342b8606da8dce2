//! The same as CSV (RFC 4180): a first row with the columns' names, and a row for each unit. Rows count from 1, as programs
//! for spreadsheets count them.

use csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use tenantry_domain::organisation::{InvalidOrgKind, UnitDraft};
use tenantry_domain::{Finding, Pointer};

use super::document::{DocumentBody, DocumentUnit};
use crate::problem::{Code, Internal, Problem};

const COLUMNS: [&str; 7] = ["kind", "code", "name", "description", "companyCode", "plant", "purchasingOrg"];

/// The document as a sheet.
pub(super) fn write(document: DocumentBody) -> Result<Vec<u8>, Problem> {
    let failed = |error: csv::Error| Problem::from(Internal).because(error);
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(failed)?;
    for unit in document.units {
        let DocumentUnit { kind, code, name, description, company_code, plant, purchasing_org } = unit;
        let cells =
            [code, name, description, company_code, plant, purchasing_org].map(Option::unwrap_or_default);
        let kind = [kind.to_string()];
        writer.write_record(kind.iter().chain(&cells)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Problem::from(Internal).because(error))
}

/// What a sheet says, or everything that is wrong with its form.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<UnitDraft>, Problem> {
    // Some programs begin with a byte order mark, and some separate cells by semicolons.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = if head.contains(&b';') && !head.contains(&b',') { b';' } else { b',' };
    let reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut rows = (1..).zip(reader.into_records());
    let mut findings = Vec::new();
    let columns = match rows.next() {
        Some((_, Ok(head))) => columns(&head, &mut findings),
        Some((row, Err(error))) => return Err(malformed(row, &error)),
        None => columns(&StringRecord::new(), &mut findings),
    };
    let mut drafts = Vec::new();
    for (row, record) in rows {
        let record = record.map_err(|error| malformed(row, &error))?;
        if record.iter().any(|cell| !cell.is_empty()) {
            drafts.extend(draft(row, &record, &columns, &mut findings));
        }
    }
    if findings.is_empty() { Ok(drafts) } else { Err(refused(findings)) }
}

fn malformed(row: usize, error: &csv::Error) -> Problem {
    let detail = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => format!("Row {row} is not UTF-8"),
        _ => format!("Row {row} cannot be read"),
    };
    Problem::new(Code::MalformedCsv, detail).with("row", row)
}

/// What is in which column.
struct Columns {
    /// Of [`COLUMNS`], where each is.
    places: [Option<usize>; COLUMNS.len()],
    /// How many there are, known or not.
    width: usize,
}

fn columns(head: &StringRecord, findings: &mut Vec<Finding>) -> Columns {
    let at = Pointer::root().index(1);
    for (index, name) in head.iter().enumerate() {
        let told = at.member(name);
        if !COLUMNS.contains(&name) {
            let message = format!("There is no column '{name}'; there are {}", COLUMNS.join(", "));
            findings.push(Finding::new(told, "unknown_column", message));
        } else if head.iter().take(index).any(|before| before == name) {
            findings.push(Finding::new(told, "duplicate_column", format!("The column '{name}' comes twice")));
        }
    }
    if !head.iter().any(|name| name == COLUMNS[0]) {
        let message = "The first row has to name the columns, of which 'kind' is one";
        findings.push(Finding::new(at.member(COLUMNS[0]), "required", message));
    }
    let places = COLUMNS.map(|column| head.iter().position(|name| name == column));
    Columns { places, width: head.len() }
}

fn draft(
    row: usize,
    record: &StringRecord,
    Columns { places, width }: &Columns,
    findings: &mut Vec<Finding>,
) -> Option<UnitDraft> {
    let at = Pointer::root().index(row);
    let mut cells = places.iter().map(|column| {
        let cell = record.get((*column)?)?;
        (!cell.is_empty()).then(|| cell.to_owned())
    });
    let kind = match cells.next().flatten().unwrap_or_default().parse() {
        Ok(kind) => kind,
        Err(error) => {
            let error: InvalidOrgKind = error;
            findings.push(Finding::new(at.member(COLUMNS[0]), "invalid_kind", error.to_string()));
            return None;
        }
    };
    if record.iter().skip(*width).any(|cell| !cell.is_empty()) {
        let message = format!("The row has {} cells, and there are {width} columns", record.len());
        findings.push(Finding::new(at, "too_many_cells", message));
        return None;
    }
    let mut cell = || cells.next().flatten();
    let unit = DocumentUnit {
        kind,
        code: cell(),
        name: cell(),
        description: cell(),
        company_code: cell(),
        plant: cell(),
        purchasing_org: cell(),
    };
    Some(unit.draft(at))
}

/// A sheet with these faults, which say row and column in words, too.
pub(super) fn refused(mut findings: Vec<Finding>) -> Problem {
    for finding in &mut findings {
        let mut place = finding.pointer.as_str().split('/').skip(1);
        let place = match (place.next(), place.next()) {
            (Some(row), Some(column)) => format!("Row {row}, column {column}: "),
            (Some(row), None) => format!("Row {row}: "),
            _ => continue,
        };
        finding.message.insert_str(0, &place);
    }
    Problem::invalid_organisation(findings)
}

#[cfg(test)]
mod tests {
    use tenantry_domain::organisation::OrgKind;

    use super::*;

    fn faults(sheet: &str) -> Vec<(String, String, String)> {
        let problem = read(sheet.as_bytes()).unwrap_err();
        assert_eq!(problem.code(), Code::InvalidOrganisation);
        let told = problem.errors().iter();
        told.map(|told| (told.pointer.to_string(), told.code.to_string(), told.message.clone())).collect()
    }

    #[test]
    fn what_is_written_is_read_back_whatever_is_in_it() {
        let odd = "a \"quote\", a comma;\nand a line\r\n=1+1";
        let unit = || DocumentUnit {
            kind: OrgKind::Plant,
            code: Some("P1".to_owned()),
            name: Some(odd.to_owned()),
            description: None,
            company_code: Some("CC1".to_owned()),
            plant: None,
            purchasing_org: None,
        };
        let sheet = write(DocumentBody { units: vec![unit(), unit()] }).unwrap();
        let text = String::from_utf8(sheet.clone()).unwrap();
        assert!(
            text.starts_with("kind,code,name,description,companyCode,plant,purchasingOrg\r\nplant,P1,\"a")
        );
        let expected = [2, 3].map(|row| unit().draft(Pointer::root().index(row)));
        assert_eq!(read(&sheet).unwrap(), expected);
    }

    #[test]
    fn columns_come_in_any_order_and_as_other_programs_write_them() {
        for sheet in [
            "kind,code,companyCode,name\nplant,P1,CC1,Plant\n",
            "\u{feff}name;companyCode;kind;code\r\nPlant;CC1;plant;P1\r\n;;;\r\n",
            "kind,code,name,companyCode\nplant,P1,Plant,CC1,,\n\n",
        ] {
            let drafts = read(sheet.as_bytes()).unwrap();
            let [draft] = drafts.as_slice() else { panic!("{drafts:?}") };
            assert_eq!(
                (draft.kind, draft.code.as_deref(), draft.name.as_deref()),
                (OrgKind::Plant, Some("P1"), Some("Plant"))
            );
            assert_eq!(
                (draft.company_code.as_deref(), &draft.plant, draft.at.as_str()),
                (Some("CC1"), &None, "/2")
            );
        }
    }

    #[test]
    fn every_fault_of_its_form_is_told_with_row_and_column() {
        assert_eq!(
            faults("kind,cod,name,name\nplant,P1,x,y\nplan,,,\nplant,P2,x,y,z\n"),
            [
                ("/1/cod", "unknown_column", "Row 1, column cod: There is no column 'cod'; there are kind, code, name, description, companyCode, plant, purchasingOrg"),
                ("/1/name", "duplicate_column", "Row 1, column name: The column 'name' comes twice"),
                ("/3/kind", "invalid_kind", "Row 3, column kind: 'plan' is no kind of unit; there are company_code, plant, storage_location, purchasing_org, purchasing_group and porg_assignment"),
                ("/4", "too_many_cells", "Row 4: The row has 5 cells, and there are 4 columns"),
            ]
            .map(|(pointer, code, message)| (pointer.to_owned(), code.to_owned(), message.to_owned()))
        );
        let told = faults("kind,code\nplant,P2,x\n");
        assert_eq!(told[0].2, "Row 2: The row has 3 cells, and there are 2 columns");
        assert_eq!(faults("")[0].1, "required");
        let latin = read(b"kind,name\nplant,S\xfcd\n").unwrap_err();
        assert_eq!(
            (latin.code(), latin.to_string().contains("Row 2 is not UTF-8")),
            (Code::MalformedCsv, true)
        );
    }
}
