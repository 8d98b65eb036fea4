"""T-SQL (SQL Server, Azure SQL), analysed only."""

from langguard.sql.allowed import TYPES
from langguard.sql.dialects.functions_tsql import FUNCTIONS
from langguard.sql.dialects.rules import Rules
from langguard.sql.dialects.strict import TREE_CALLS, strict_nodes
from langguard.sql.dialects.strict_text import strict_reader, with_date_parts
from langguard.sql.words import words

_OLD_CATALOGUE = words(
    """
sysalt syscache syscolumns syscomments sysconfig sysconstraints syscur sysdatabases sysdepends sysdevices sysfile
sysforeign sysfulltext sysindex syslanguages syslock syslogins sysmembers sysmessages sysobjects sysole sysopentapes
sysperf syspermissions sysprocesses sysprotects sysreferences sysremote sysservers systypes sysusers spt_ msrepl
"""
)
"""Starts of the names of views that every schema shows."""

TSQL = Rules(
    name="tsql",
    title="T-SQL",
    home="dbo",
    functions=FUNCTIONS,
    operators=words("+ - * / % = <> != < > <= >= & | ^ ~"),
    nodes=strict_nodes(
        {
            "Join": "this side kind on",  # it has no USING
            "National": "this",
            "TryCast": "this to safe",
            "Convert": "this expression style safe",
            "WithinGroup": "this expression",
        }
    ),
    types=(TYPES | words("DATETIME2 SMALLDATETIME SMALLMONEY")) - words("JSONB ARRAY NAME POINT LSEG"),
    named_types=frozenset(),
    plain_calls=FUNCTIONS - TREE_CALLS - words("convert try_convert"),
    system_schemas=words("sys information_schema guest cdc"),
    system_prefixes=tuple(_OLD_CATALOGUE),
    always_recursive=True,
    plain_quotes=False,  # the row cap stands at its start
    national_strings=True,
    settle=with_date_parts(
        dict.fromkeys(words("dateadd datediff datediff_big datename datepart date_bucket datetrunc"), 0)
    ),
    read_again=strict_reader(
        title="T-SQL",
        signs=("$", "@", "#", "::", ":", "?", "{", "}", "`", "\\", "!<", "!>"),
        spellings=(r"\\[\n\r]",),  # in a string, SQL Server joins such lines
        # Statements need nothing between them, so that such a word could start another one.
        starts=words(
            """
ADD ALTER BACKUP BEGIN BREAK BULK CHECKPOINT CLOSE COMMIT CONTINUE CREATE DBCC DEALLOCATE DECLARE DELETE DENY DISABLE
DISK DROP DUMP ENABLE ERRLVL EXEC EXECUTE EXIT FUNCTION GET GO GOTO GRANT IF INSERT INTO KILL LINENO LOAD MERGE MOVE
OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OUTPUT PRINT PROC PROCEDURE RAISERROR READTEXT RECEIVE RECONFIGURE
RENAME RESTORE RETURN REVERT REVOKE ROLLBACK SAVE SEND SET SETUSER SHUTDOWN THROW TRAN TRANSACTION TRUNCATE UPDATE
UPDATETEXT USE WAITFOR WHILE WRITETEXT
"""
        ),
    ),
    output_names="short",
    runs=False,
)
