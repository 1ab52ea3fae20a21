"""Attachments: their rows, their bytes, who may see them, and the virus scanner."""

import base64
import gzip
import hashlib
from typing import Final

from secure_export.sandbox.servicenow.acl import Access
from secure_export.sandbox.servicenow.dictionary import Column, Table
from secure_export.sandbox.servicenow.errors import SnowError, aborted, no_record, security_constraint
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rest import as_admin
from secure_export.sandbox.servicenow.rules import ANY_TABLE, Change, Operation
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

TABLE: Final = "sys_attachment"
BYTES: Final = "sys_attachment_doc"
SCANNER: Final = "sandbox.attachment.virus_scan"
_MOST: Final = "com.glide.attachment.max_size"
_MEGABYTE: Final = 1024 * 1024
# The harmless test virus that every scanner knows, in two parts so that none of them stops at this file.
_TEST_VIRUS: Final = b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE"


class Attachments:
    """Adds, reads and deletes attachments as a user: who may do it with the record may do it with its attachments."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        if BYTES not in instance.dictionary:
            instance.add_table(_bytes_table())
        instance.after(ANY_TABLE, self._record_gone, operations=[Operation.DELETE])

    def add(self, meta: Row, content: bytes, user: User) -> Row:
        """Attach a file.

        Args:
            meta: ``table_name``, ``table_sys_id``, ``file_name`` and ``content_type``.
            content: Its bytes.
            user: Who does it.

        Raises:
            SnowError: There is no such record, the user may not change it, the file is too large, the virus scanner
                or a business rule stops it.
        """
        instance, table = self._instance, meta["table_name"]
        record = instance.get(table, meta["table_sys_id"], user)
        if not instance.acl.row(record["sys_class_name"], Access.WRITE, record, user):
            raise security_constraint("Insert")
        if len(content) > instance.properties.number(_MOST, 1024) * _MEGABYTE:
            raise SnowError(413, "Attachment too large", f"The property {_MOST} says how large it may be, in MB.")
        if instance.properties.flag(SCANNER, default=True) and _TEST_VIRUS in content:
            raise aborted(TABLE, "Scan attachment for viruses", "a" * 32)
        row = instance.insert(TABLE, meta | _measures(content), as_admin(user))
        doc = {"sys_id": instance.new_sys_id(), "sys_attachment": row["sys_id"], "position": "0"}
        instance.tables.put(BYTES, {**doc, "data": base64.b64encode(content).decode()})
        return row

    def get(self, sys_id: str, user: User) -> Row:
        """Find an attachment.

        Raises:
            SnowError: There is none, or the user may not see its record.
        """
        row = self._instance.tables.get(TABLE, sys_id)
        if row is None or not self.may_read(row, user):
            raise no_record()
        return row

    def may_read(self, row: Row, user: User) -> bool:
        """Tell whether a user may see the record of an attachment."""
        try:
            self._instance.get(row.get("table_name", ""), row.get("table_sys_id", ""), user)
        except SnowError:
            return False
        return True

    def content(self, row: Row) -> bytes:
        """Give the bytes of an attachment."""
        docs = (one for one in self._instance.tables.rows(BYTES) if one.get("sys_attachment") == row["sys_id"])
        return b"".join(base64.b64decode(one.get("data", "")) for one in docs)

    def rename(self, sys_id: str, file_name: str, user: User) -> None:
        """Give an attachment another name.

        Raises:
            SnowError: There is no such attachment, or the user may not change its record.
        """
        row = self._changeable(sys_id, user, "Update")
        self._instance.update(TABLE, row["sys_id"], {"file_name": file_name}, as_admin(user))

    def delete(self, sys_id: str, user: User) -> None:
        """Delete an attachment.

        Raises:
            SnowError: There is no such attachment, or the user may not change its record.
        """
        self._instance.delete(TABLE, self._changeable(sys_id, user, "Delete")["sys_id"], as_admin(user))

    def _changeable(self, sys_id: str, user: User, operation: str) -> Row:
        row = self.get(sys_id, user)
        record = self._instance.get(row["table_name"], row["table_sys_id"], user)
        if not self._instance.acl.row(record["sys_class_name"], Access.WRITE, record, user):
            raise security_constraint(operation)
        return row

    def _record_gone(self, change: Change) -> None:
        """The attachments of a deleted record go with it, and the bytes with their attachment."""
        instance, sys_id = self._instance, change.current["sys_id"]
        if change.table == TABLE:
            for doc in list(instance.tables.rows(BYTES)):
                if doc.get("sys_attachment") == sys_id:
                    instance.tables.remove(BYTES, doc["sys_id"])
            return
        for row in list(instance.tables.rows(TABLE)):
            if row.get("table_sys_id") == sys_id:
                instance.delete(TABLE, row["sys_id"])


def _measures(content: bytes) -> Row:
    return {
        "size_bytes": str(len(content)),
        "size_compressed": str(len(gzip.compress(content, mtime=0))),
        "hash": hashlib.sha256(content).hexdigest(),
        "compressed": "true",
        "state": "available",
    }


def _bytes_table() -> Table:
    columns = [
        Column("sys_attachment", "Sys Attachment", max_length=32),
        Column("position", "Position"),
        Column("data", "Data", max_length=100_000_000),
    ]
    return Table(BYTES, "Attachment Document", columns={column.name: column for column in columns})
