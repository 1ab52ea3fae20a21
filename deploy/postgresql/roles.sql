-- Makes the database of Secure Export with two roles, and may be run again at any time:
--   secure_export_owner  owns the tables and changes them (secure-export store migrate)
--   secure_export        runs the service: it reads and writes rows, and owns nothing; what it may do to the tables it
--                        is given by secure-export store migrate --grant-to secure_export
-- Their passwords come from two files, which hold nothing else. Run it as the server's administrator:
--   psql -v ON_ERROR_STOP=1 -v owner_password_file=… -v runner_password_file=… -d postgres -f roles.sql

\set owner_password `cat :'owner_password_file'`
\set runner_password `cat :'runner_password_file'`

SELECT 'CREATE ROLE ' || name || ' LOGIN'
FROM (VALUES ('secure_export_owner'), ('secure_export')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

-- What is kept is the server's digest of a password (scram-sha-256), never the password.
ALTER ROLE secure_export_owner PASSWORD :'owner_password';
ALTER ROLE secure_export PASSWORD :'runner_password';

-- An administrator who is no superuser, as in a cloud, has to be a member to give the database away.
SELECT format('GRANT secure_export_owner TO %I', current_user)
FROM pg_roles
WHERE rolname = current_user AND NOT rolsuper
\gexec

SELECT 'CREATE DATABASE secure_export OWNER secure_export_owner TEMPLATE template0 ENCODING ''UTF8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'secure_export')
\gexec

REVOKE ALL ON DATABASE secure_export FROM PUBLIC;
GRANT CONNECT ON DATABASE secure_export TO secure_export;
