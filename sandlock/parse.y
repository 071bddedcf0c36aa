/*
 * Copyright (c) 2026 The sandlock authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/*
 * The grammar of sandlock.conf(5).  A whole file is read before a word of it
 * is looked at.  Token strings belong to the parse and are freed at its end,
 * so no action frees anything, whatever path it takes.
 */

%{
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "policy.h"
#include "sandlock.h"

#define CONF_SIZE_MAX	(1024 * 1024)
#define INCLUDE_MAX	16	/* files open at a time */
#define ERRORS_MAX	20	/* printed for one parse */
#define WORD_MAX	65536	/* bytes of a token */

#ifndef nitems
#define nitems(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/* A file being read; the innermost include comes first. */
struct file {
	TAILQ_ENTRY(file)	 entry;
	char			*name;
	char			*buf;
	size_t			 len;
	size_t			 pos;
	int			 lineno;
	dev_t			 dev;
	ino_t			 ino;
};
TAILQ_HEAD(files, file);

/* A macro that a file defines. */
struct sym {
	TAILQ_ENTRY(sym)	 entry;
	char			*name;
	char			*value;
	char			*file;
	int			 lineno;
	int			 used;
};
TAILQ_HEAD(syms, sym);

/* Memory that lives as long as the parse. */
struct chunk {
	SLIST_ENTRY(chunk)	 entry;
	_Alignas(max_align_t) char data[];
};
SLIST_HEAD(chunks, chunk);

/* A list of words on its way to the action that uses it. */
struct word {
	STAILQ_ENTRY(word)	 entry;
	const char		*text;
	int			 lineno;
};
STAILQ_HEAD(words, word);

typedef struct {
	union {
		char	*string;
		int	 number;
	} v;
	int	 lineno;
} YYSTYPE;

/* State of the one parse that runs at a time. */
static struct files	 files = TAILQ_HEAD_INITIALIZER(files);
static struct file	*file;		/* first of files */
static struct syms	 syms = TAILQ_HEAD_INITIALIZER(syms);
static struct chunks	 chunks = SLIST_HEAD_INITIALIZER(chunks);
static struct words	 words = STAILQ_HEAD_INITIALIZER(words);
static struct words	 protos = STAILQ_HEAD_INITIALIZER(protos);
static struct words	 hosts = STAILQ_HEAD_INITIALIZER(hosts);
static struct words	 ports = STAILQ_HEAD_INITIALIZER(ports);
static struct macros	*macros;	/* of the command line, or NULL */
static struct profiles	*profiles;	/* the result */
static struct policy	*body;		/* of the profile being read */
static const struct profile *base;	/* that it inherits */
static char		*body_name;
static const char	*expansion;	/* rest of a list macro, or NULL */
static int		 ungot[2];	/* characters to read again */
static int		 nungot;
static char		 token[WORD_MAX];	/* text of the last one */
static int		 may_include;
static char		**read_files;	/* every one, for good */
static size_t		 nread_files;
static int		 errors;
static int		 error_line;	/* of the last message */
static const struct file *error_file;

static int		 yyparse(void);
static int		 yylex(void);
static void		 yyerror(const char *, ...)
			    __attribute__((__format__ (printf, 1, 2)));
static void		 error_at(int, const char *, ...)
			    __attribute__((__format__ (printf, 2, 3)));
static void		 verror_at(int, const char *, va_list)
			    __attribute__((__format__ (printf, 2, 0)));
static void		 bad(const char *, const char *, const char *);
static void		 bad_word(const char *, const struct word *,
			    const char *);
static void		 twice(int, const char *);
static void		*keep(size_t);
static char		*keep_text(const char *, size_t);
static void		 words_start(void);
static void		 word_add(const char *, int);
static char		*words_join(const char *);
static char		*words_quote(void);
static void		 words_move(struct words *);
static void		 each(const char *, const char *(*)(struct policy *,
			    const char *));
static void		 sym_set(const char *, const char *, int);
static const char	*sym_get(const char *, int *);
static void		 include(const char *);
static void		 profile_begin(const char *, const char *);
static void		 profile_end(void);
static void		 unveil(const char *);
static void		 setenv_one(const char *, const char *);
static void		 on(const char *, const char *);
static void		 dry_run(const char *);
static void		 limit_one(const char *, const char *);
static void		 rule_all(int, int, int);
static void		 rule_to(struct net_rule *);
static const char	*rule_target(const char *, struct net_rule *);
static void		 push_file(struct file *);
static int		 pop_file(void);
static void		 file_free(struct file *);
static struct file	*file_new(const char *, const char *, size_t);
static struct file	*file_load(const char *, const char **);
static const char	*file_secure(const struct stat *);
static int		 file_open_already(const struct file *);

static int		 keyword_cmp(const void *, const void *);
static int		 keyword(const char *);
static int		 get_raw(void);
static int		 get_char(void);
static void		 unget_char(int);
static int		 word_char(int);
static int		 skip_line(void);
static int		 lex_macro(void);
static int		 lex_escape(int);
static int		 lex_quoted(int);
static int		 lex_word(int);
static int		 lex_other(int);
static int		 parse_all(struct file *, struct profiles *);
static void		 parse_unused(void);
static void		 parse_free(void);
%}

%token	PROFILE INHERIT INCLUDE
%token	UNVEIL DIRECTORY ENVIRONMENT SETENV UNSETENV PRIVATE
%token	PASS BLOCK IN OUT QUICK PROTO TO PORT REFRESH RESOLVER PORTREMAP
%token	LIMIT DENY PERMIT SYSCALL SYSCALLS ALLOW DEGRADED DISABLE
%token	LOG DENIALS STATUS FD NO CPUS GPU USER RUN AS
%token	WORKDIR STORAGE ISOLATION ON DRYRUN MAXDISK
%token	ERROR
%token	<v.string>	STRING
%type	<v.string>	inherit
%type	<v.number>	action direction quick

%%

grammar		: /* empty */
		| grammar '\n'
		| grammar include '\n'
		| grammar varset '\n'
		| grammar profile '\n'
		| grammar error '\n'	{ yyerrok; }
		;

include		: INCLUDE STRING	{ include($2); }
		;

varset		: STRING '=' STRING	{ sym_set($1, $3, yylval.lineno); }
		| STRING '=' list	{
			sym_set($1, words_quote(), yylval.lineno);
		}
		;

profile		: profile_head '{' statements '}'	{ profile_end(); }
		;

profile_head	: PROFILE STRING inherit	{ profile_begin($2, $3); }
		;

inherit		: /* empty */		{ $$ = NULL; }
		| INHERIT STRING	{ $$ = $2; }
		;

statements	: /* empty */
		| statements '\n'
		| statements statement '\n'
		| statements error '\n'	{ yyerrok; }
		;

statement	: unveil
		| DIRECTORY STRING	{
			twice(body->directory != NULL, "directory");
			bad("directory", $2, setting_directory(body, $2));
		}
		| branch
		| environment
		| network
		| LIMIT limit
		| LIMIT '{' optnl limit_l '}'
		| PRIVATE STRING	{
			bad("private", $2, setting_private(body, $2));
		}
		| syscall
		| protection
		| LOG DENIALS STRING	{
			twice(body->log_denials != NULL, "log denials");
			bad("log denials", $3, setting_log_denials(body, $3));
		}
		| STATUS FD STRING	{
			twice(body->status_fd != -1, "status fd");
			bad("status fd", $3, setting_status_fd(body, $3));
		}
		| PASS FD words		{
			each("pass fd", setting_pass_fd);
		}
		| NO STRING		{ bad("no", $2, setting_no(body, $2)); }
		| NO WORKDIR		{
			bad("no", "workdir", setting_no(body, "workdir"));
		}
		| CPUS words		{
			char	*list;

			list = words_join(",");
			twice(body->cpu_cores != NULL, "cpus");
			bad("cpus", list, setting_cpus(body, list));
		}
		| GPU words		{
			char	*list;

			list = words_join(",");
			twice(body->gpu != NULL, "gpu");
			bad("gpu", list, setting_gpu(body, list));
		}
		| USER STRING		{
			twice(body->user_set, "user");
			bad("user", $2, setting_user(body, $2));
		}
		| RUN AS STRING		{
			twice(body->run_as != NULL, "run as");
			bad("run as", $3, setting_run_as(body, $3));
		}
		;

branch		: WORKDIR STRING	{
			twice(body->workdir != NULL, "workdir");
			bad("workdir", $2, setting_workdir(body, $2));
		}
		| STORAGE STRING	{
			twice(body->storage != NULL, "storage");
			bad("storage", $2, setting_storage(body, $2));
		}
		| ISOLATION STRING	{
			twice(body->isolation != ISOLATION_UNSET, "isolation");
			bad("isolation", $2, setting_isolation(body, $2));
		}
		| MAXDISK STRING	{
			twice(body->max_disk != 0, "max-disk");
			bad("max-disk", $2, setting_max_disk(body, $2));
		}
		| ON STRING STRING	{ on($2, $3); }
		| DRYRUN		{ dry_run(NULL); }
		| DRYRUN STRING		{ dry_run($2); }
		;

unveil		: UNVEIL words STRING	{ unveil($3); }
		;

environment	: ENVIRONMENT INHERIT	{
			twice(body->env_mode_set, "environment");
			setting_environment(body, "inherit");
		}
		| ENVIRONMENT STRING	{
			twice(body->env_mode_set, "environment");
			bad("environment", $2, setting_environment(body, $2));
		}
		| SETENV assignment
		| SETENV '{' optnl assignment_l '}'
		| UNSETENV words	{
			each("unsetenv", setting_unsetenv);
		}
		;

assignment	: STRING '=' STRING	{ setenv_one($1, $3); }
		;

assignment_l	: assignment optnl
		| assignment_l comma assignment optnl
		;

network		: action direction quick proto to port	{
			rule_all($1, $2, $3);
		}
		| REFRESH		{
			twice(body->refresh, "refresh");
			setting_refresh(body, NULL);
		}
		| RESOLVER		{
			twice(body->resolver, "resolver");
			setting_resolver(body, NULL);
		}
		| PORTREMAP		{
			twice(body->port_remap, "port-remap");
			setting_port_remap(body, NULL);
		}
		;

action		: PASS			{ $$ = 0; }
		| BLOCK			{ $$ = 1; }
		;

direction	: IN			{ $$ = NET_IN; }
		| OUT			{ $$ = NET_OUT; }
		;

quick		: /* empty */		{ $$ = 0; }
		| QUICK			{ $$ = 1; }
		;

proto		: /* empty */		{ STAILQ_INIT(&protos); }
		| PROTO words		{ words_move(&protos); }
		;

to		: /* empty */		{ STAILQ_INIT(&hosts); }
		| TO words		{ words_move(&hosts); }
		;

port		: /* empty */		{ STAILQ_INIT(&ports); }
		| PORT words		{ words_move(&ports); }
		;

limit		: STRING STRING		{ limit_one($1, $2); }
		;

limit_l		: limit optnl
		| limit_l comma limit optnl
		;

syscall		: DENY SYSCALL words	{
			each("deny syscall", setting_deny_syscall);
		}
		| PERMIT SYSCALL words	{
			each("permit syscall", setting_permit_syscall);
		}
		| SYSCALLS STRING	{
			twice(body->allow_list_set, "syscalls");
			bad("syscalls", $2, setting_syscalls(body, $2));
		}
		;

protection	: ALLOW DEGRADED words	{
			each("allow degraded", setting_degraded);
		}
		| DISABLE words		{ each("disable", setting_disable); }
		;

words		: word_start STRING	{ word_add($2, yylval.lineno); }
		| list
		;

list		: word_start '{' optnl word_l '}'
		;

word_start	: /* empty */		{ words_start(); }
		;

/* A macro may hold a list, hence lists in lists. */
word_l		: word optnl
		| word_l comma word optnl
		;

word		: STRING		{ word_add($1, yylval.lineno); }
		| '{' optnl word_l '}'
		;

comma		: /* empty */
		| ','
		;

optnl		: /* empty */
		| optnl '\n'
		;

%%

struct keyword {
	const char	*name;
	int		 token;
};

/*
 * Only the words that the grammar turns on are reserved, and none of them is
 * the name of a system call, so that lists of those need no quotes.  Sorted.
 */
static const struct keyword keywords[] = {
	{ "allow",		ALLOW },
	{ "as",			AS },
	{ "block",		BLOCK },
	{ "cpus",		CPUS },
	{ "degraded",		DEGRADED },
	{ "denials",		DENIALS },
	{ "deny",		DENY },
	{ "directory",		DIRECTORY },
	{ "disable",		DISABLE },
	{ "dry-run",		DRYRUN },
	{ "environment",	ENVIRONMENT },
	{ "fd",			FD },
	{ "gpu",		GPU },
	{ "in",			IN },
	{ "include",		INCLUDE },
	{ "inherit",		INHERIT },
	{ "isolation",		ISOLATION },
	{ "limit",		LIMIT },
	{ "log",		LOG },
	{ "max-disk",		MAXDISK },
	{ "no",			NO },
	{ "on",			ON },
	{ "out",		OUT },
	{ "pass",		PASS },
	{ "permit",		PERMIT },
	{ "port",		PORT },
	{ "port-remap",		PORTREMAP },
	{ "private",		PRIVATE },
	{ "profile",		PROFILE },
	{ "proto",		PROTO },
	{ "quick",		QUICK },
	{ "refresh",		REFRESH },
	{ "resolver",		RESOLVER },
	{ "run",		RUN },
	{ "setenv",		SETENV },
	{ "status",		STATUS },
	{ "storage",		STORAGE },
	{ "syscall",		SYSCALL },
	{ "syscalls",		SYSCALLS },
	{ "to",			TO },
	{ "unsetenv",		UNSETENV },
	{ "unveil",		UNVEIL },
	{ "user",		USER },
	{ "workdir",		WORKDIR }
};

/* Messages. */

static void
verror_at(int lineno, const char *fmt, va_list ap)
{
	char	 text[1024];
	size_t	 i;

	errors++;
	error_line = lineno;
	error_file = file;
	if (errors > ERRORS_MAX)
		return;
	if (errors == ERRORS_MAX) {
		fprintf(stderr, "%s: too many errors\n", file->name);
		return;
	}
	vsnprintf(text, sizeof(text), fmt, ap);
	for (i = 0; text[i] != '\0'; i++)
		if (iscntrl((unsigned char)text[i]))
			text[i] = '?';
	fprintf(stderr, "%s:%d: %s\n", file->name, lineno, text);
}

static void
error_at(int lineno, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	verror_at(lineno, fmt, ap);
	va_end(ap);
}

/* Called by yacc, and by actions about the line of the last token. */
static void
yyerror(const char *fmt, ...)
{
	va_list	 ap;

	if (strcmp(fmt, "syntax error") == 0) {
		/* After a better message about this line, say no more. */
		if (error_file == file && error_line == yylval.lineno)
			return;
		if (token[0] == '\0')
			error_at(yylval.lineno, "syntax error at the end of "
			    "the %s", yychar == 0 ? "file" : "line");
		else
			error_at(yylval.lineno, "syntax error near \"%.64s\"",
			    token);
		return;
	}
	va_start(ap, fmt);
	verror_at(yylval.lineno, fmt, ap);
	va_end(ap);
}

/* Report why a setting refused its text, if it did. */
static void
bad(const char *what, const char *text, const char *error)
{
	if (error != NULL)
		yyerror("%s %s: %s", what, *text != '\0' ? text : "\"\"",
		    error);
}

static void
bad_word(const char *what, const struct word *w, const char *error)
{
	if (error != NULL)
		error_at(w->lineno, "%s %s: %s", what,
		    *w->text != '\0' ? w->text : "\"\"", error);
}

static void
twice(int set, const char *what)
{
	if (set)
		yyerror("%s: given twice", what);
}

/* Words. */

/* Memory that is freed at the end of the parse. */
static void *
keep(size_t size)
{
	struct chunk	*chunk;

	if ((chunk = calloc(1, sizeof(*chunk) + size)) == NULL)
		fatal("calloc");
	SLIST_INSERT_HEAD(&chunks, chunk, entry);
	return (chunk->data);
}

static char *
keep_text(const char *text, size_t len)
{
	char	*copy;

	copy = keep(len + 1);
	memcpy(copy, text, len);
	return (copy);
}

static void
words_start(void)
{
	STAILQ_INIT(&words);
}

static void
word_add(const char *text, int lineno)
{
	struct word	*w;

	w = keep(sizeof(*w));
	w->text = text;
	w->lineno = lineno;
	STAILQ_INSERT_TAIL(&words, w, entry);
}

static void
words_move(struct words *to)
{
	STAILQ_INIT(to);
	STAILQ_CONCAT(to, &words);
}

/* The words as one, with a separator between them. */
static char *
words_join(const char *separator)
{
	struct word	*w;
	char		*text, *end;
	size_t		 size = 1;

	STAILQ_FOREACH(w, &words, entry)
		size += strlen(w->text) + strlen(separator);
	end = text = keep(size);
	STAILQ_FOREACH(w, &words, entry) {
		if (end != text)
			end = stpcpy(end, separator);
		end = stpcpy(end, w->text);
	}
	return (text);
}

/* The text of a list that reads as the same words again. */
static char *
words_quote(void)
{
	struct word	*w;
	const char	*s;
	char		*text, *end;
	size_t		 size = 4;

	STAILQ_FOREACH(w, &words, entry)
		size += 2 * strlen(w->text) + 3;
	end = text = keep(size);
	*end++ = '{';
	STAILQ_FOREACH(w, &words, entry) {
		*end++ = ' ';
		*end++ = '"';
		for (s = w->text; *s != '\0'; s++) {
			if (*s == '"' || *s == '\\' || *s == '\n')
				*end++ = '\\';
			*end++ = *s == '\n' ? 'n' : *s;
		}
		*end++ = '"';
	}
	*end++ = '}';
	return (text);
}

/* Apply a setting to each word. */
static void
each(const char *what, const char *(*set)(struct policy *, const char *))
{
	struct word	*w;

	STAILQ_FOREACH(w, &words, entry)
		bad_word(what, w, set(body, w->text));
}

/* Macros. */

int
parse_macro_name(const char *name)
{
	const char	*s;

	if (*name == '\0' || keyword(name) != STRING)
		return (0);
	for (s = name; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return (0);
	return (1);
}

static void
sym_set(const char *name, const char *value, int lineno)
{
	struct sym	*sym;

	if (!parse_macro_name(name)) {
		error_at(lineno, "%s: bad name of a macro", name);
		return;
	}
	TAILQ_FOREACH(sym, &syms, entry)
		if (strcmp(sym->name, name) == 0)
			break;
	if (sym == NULL) {
		sym = keep(sizeof(*sym));
		sym->name = keep_text(name, strlen(name));
		TAILQ_INSERT_TAIL(&syms, sym, entry);
	}
	sym->value = keep_text(value, strlen(value));
	sym->file = keep_text(file->name, strlen(file->name));
	sym->lineno = lineno;
}

/* The value of a macro, and whether it may be a list; NULL without one. */
static const char *
sym_get(const char *name, int *list)
{
	struct macro	*macro;
	struct sym	*sym;
	const char	*value = NULL;

	TAILQ_FOREACH(sym, &syms, entry)
		if (strcmp(sym->name, name) == 0) {
			sym->used = 1;
			value = sym->value;
			*list = value[0] == '{';
		}
	if (macros != NULL)
		TAILQ_FOREACH(macro, macros, entry)
			if (strcmp(macro->name, name) == 0) {
				macro->used = 1;
				value = macro->value;
				*list = 0;
			}
	return (value);
}

/* Actions. */

/* A relative name is relative to the directory of the file it stands in. */
static void
include(const char *name)
{
	struct file	*new;
	const char	*error;
	char		*dir, *path = NULL;

	if (!may_include) {
		yyerror("include: not possible here");
		return;
	}
	if (name[0] != '/') {
		dir = keep_text(file->name, strlen(file->name));
		if (asprintf(&path, "%s/%s", dirname(dir), name) == -1)
			fatal("asprintf");
		name = path;
	}
	if ((new = file_load(name, &error)) == NULL)
		yyerror("include %s: %s", name, error);
	else if (file_open_already(new)) {
		yyerror("include %s: includes itself or too deep", name);
		file_free(new);
	} else {
		/*
		 * What was read ahead belongs to this file.  The new one
		 * begins with the newline that ends the statement.
		 */
		file->pos -= (size_t)nungot;
		nungot = 0;
		new->lineno = 0;
		push_file(new);
		unget_char('\n');
	}
	free(path);
}

static void
profile_begin(const char *name, const char *inherit)
{
	/* A profile that a syntax error broke off is dropped here. */
	policy_free(body);
	if ((body = policy_new()) == NULL)
		fatal("policy_new");
	body_name = keep_text(name, strlen(name));
	base = NULL;
	if (name[0] == '\0')
		yyerror("profile: empty name");
	if (profiles_find(profiles, name) != NULL)
		yyerror("profile %s: defined twice", name);
	if (inherit == NULL)
		return;
	if ((base = profiles_find(profiles, inherit)) == NULL &&
	    (base = profile_builtin(inherit)) == NULL)
		yyerror("inherit %s: no such profile above or built in",
		    inherit);
}

static void
profile_end(void)
{
	struct profile	*profile;
	struct policy	*policy;

	if ((policy = policy_new()) == NULL ||
	    (policy->name = strdup(body_name)) == NULL ||
	    (base != NULL && policy_merge(policy, base->policy) == -1) ||
	    policy_merge(policy, body) == -1 ||
	    (profile = calloc(1, sizeof(*profile))) == NULL ||
	    (profile->file = strdup(file->name)) == NULL)
		fatal("profile %s", body_name);
	if (strcmp(body_name, "default") == 0)
		policy->guard_home = 1;
	profile->policy = policy;
	profile->included = TAILQ_NEXT(file, entry) != NULL;
	TAILQ_INSERT_TAIL(profiles, profile, entry);
	policy_free(body);
	body = NULL;
}

static void
unveil(const char *text)
{
	struct word	*w;
	const char	*error;
	unsigned int	 perms;
	int		 optional;

	if ((error = policy_parse_perms(text, &perms, &optional)) != NULL) {
		yyerror("unveil: %s", error);
		return;
	}
	STAILQ_FOREACH(w, &words, entry)
		bad_word("unveil", w, setting_path(body, w->text, perms,
		    optional));
}

static void
setenv_one(const char *name, const char *value)
{
	bad("setenv", name, setting_setenv(body, name, value));
}

/* What becomes of the branch. */
static void
on(const char *event, const char *action)
{
	if (strcmp(event, "exit") == 0) {
		twice(body->on_exit != BRANCH_UNSET, "on exit");
		bad("on exit", action, setting_on_exit(body, action));
	} else if (strcmp(event, "error") == 0) {
		twice(body->on_error != BRANCH_UNSET, "on error");
		bad("on error", action, setting_on_error(body, action));
	} else
		yyerror("on %s: not one of exit, error", event);
}

static void
dry_run(const char *form)
{
	twice(body->dry_run, "dry-run");
	bad("dry-run", form == NULL ? "" : form, setting_dry_run(body, form));
}

static void
limit_one(const char *name, const char *value)
{
	if (strcmp(name, "processes") == 0)
		twice(body->max_processes != 0, "limit processes");
	else if (strcmp(name, "cpu") == 0)
		twice(body->cpu_percent != 0, "limit cpu");
	else if (strcmp(name, "time") == 0)
		twice(body->timeout_ms != 0, "limit time");
	else if (strcmp(name, "kill-after") == 0)
		twice(body->kill_after_set, "limit kill-after");
	bad("limit", name, setting_limit(body, name, value));
}

static const char *
rule_target(const char *text, struct net_rule *rule)
{
	const char	*error;

	error = policy_parse_target(text, rule);
	if (error != NULL || rule->direction == NET_OUT ||
	    rule->target == NET_ANY)
		return (error);
	return (rule->block ? "block in refuses by port only" :
	    "pass in admits by port only");
}

/* One rule for each pair of a host and a port. */
static void
rule_all(int block, int direction, int quick)
{
	struct net_rule	 rule;
	struct word	*w;
	const char	*error;

	memset(&rule, 0, sizeof(rule));
	rule.direction = (enum net_direction)direction;
	rule.block = block;
	rule.quick = quick;
	STAILQ_FOREACH(w, &protos, entry)
		bad_word("proto", w, policy_parse_proto(w->text,
		    &rule.protos));
	/* After an error, which is enough, anything goes. */
	if (STAILQ_EMPTY(&hosts)) {
		rule.target = NET_ANY;
		rule_to(&rule);
	}
	STAILQ_FOREACH(w, &hosts, entry) {
		if ((error = rule_target(w->text, &rule)) != NULL)
			bad_word("to", w, error);
		else
			rule_to(&rule);
	}
}

static void
rule_to(struct net_rule *rule)
{
	struct word	*w;

	if (STAILQ_EMPTY(&ports))
		bad("port", "*", policy_parse_port_list("*", rule,
		    &body->net));
	STAILQ_FOREACH(w, &ports, entry)
		bad_word("port", w, policy_parse_port_list(w->text, rule,
		    &body->net));
}

/* Files. */

static void
push_file(struct file *new)
{
	TAILQ_INSERT_HEAD(&files, new, entry);
	file = new;
}

/* Go on with the file that included this one; -1 when none did. */
static int
pop_file(void)
{
	struct file	*done = file;

	if (TAILQ_NEXT(file, entry) == NULL)
		return (-1);
	file = TAILQ_NEXT(file, entry);
	TAILQ_REMOVE(&files, done, entry);
	if (error_file == done)
		error_file = NULL;
	file_free(done);
	return (0);
}

static void
file_free(struct file *f)
{
	free(f->name);
	free(f->buf);
	free(f);
}

/* A file from its contents; it always ends with a newline. */
static struct file *
file_new(const char *name, const char *buf, size_t len)
{
	struct file	*f;

	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->name = strdup(name)) == NULL ||
	    (f->buf = malloc(len + 1)) == NULL)
		fatal("%s", name);
	if (len > 0)
		memcpy(f->buf, buf, len);
	f->buf[len] = '\n';
	f->len = len + 1;
	f->lineno = 1;
	return (f);
}

/* A policy that others can write is no policy. */
static const char *
file_secure(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return ("not a regular file");
	if (st->st_uid != 0 && st->st_uid != getuid())
		return ("owned by neither root nor the user who runs sandlock");
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return ("writable by its group or others");
	if (st->st_size > CONF_SIZE_MAX)
		return ("too large");
	return (NULL);
}

/* Remember where a file really is; policy_check() asks. */
static void
file_remember(int fd)
{
	char	 link[64], path[PATH_MAX], **grown;
	ssize_t	 n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, path, sizeof(path) - 1)) == -1)
		fatal("%s", link);
	path[n] = '\0';
	if ((grown = reallocarray(read_files, nread_files + 1,
	    sizeof(*grown))) == NULL ||
	    (grown[nread_files] = strdup(path)) == NULL)
		fatal("malloc");
	read_files = grown;
	nread_files++;
}

const char *
parse_read_file(size_t i)
{
	return (i < nread_files ? read_files[i] : NULL);
}

static struct file *
file_load(const char *path, const char **error)
{
	struct stat	 st;
	struct file	*f = NULL;
	char		*buf = NULL;
	size_t		 len = 0;
	ssize_t		 n;
	int		 fd;

	/* O_NONBLOCK: a FIFO is to be refused, not waited for. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		*error = strerror(errno);
		goto done;
	}
	if ((*error = file_secure(&st)) != NULL)
		goto done;
	if ((buf = malloc(CONF_SIZE_MAX)) == NULL)
		fatal("malloc");
	while (len < CONF_SIZE_MAX &&
	    (n = read(fd, buf + len, CONF_SIZE_MAX - len)) != 0) {
		if (n == -1) {
			*error = strerror(errno);
			goto done;
		}
		len += (size_t)n;
	}
	if (memchr(buf, '\0', len) != NULL) {
		*error = "contains a NUL byte";
		goto done;
	}
	file_remember(fd);
	f = file_new(path, buf, len);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
 done:
	free(buf);
	if (fd != -1)
		close(fd);
	return (f);
}

/* Whether an include would make a loop, or a chain too long to be meant. */
static int
file_open_already(const struct file *new)
{
	struct file	*f;
	int		 depth = 0;

	TAILQ_FOREACH(f, &files, entry)
		if (++depth >= INCLUDE_MAX ||
		    (f->dev == new->dev && f->ino == new->ino))
			return (1);
	return (0);
}

/* The lexer. */

static int
keyword_cmp(const void *key, const void *entry)
{
	return (strcmp(key, ((const struct keyword *)entry)->name));
}

static int
keyword(const char *word)
{
	const struct keyword	*k;

	k = bsearch(word, keywords, nitems(keywords), sizeof(keywords[0]),
	    keyword_cmp);
	return (k != NULL ? k->token : STRING);
}

static int
get_raw(void)
{
	if (nungot > 0)
		return (ungot[--nungot]);
	if (expansion != NULL) {
		if (*expansion != '\0')
			return ((unsigned char)*expansion++);
		/* A word cannot go on behind the end of a list. */
		expansion = NULL;
		return (' ');
	}
	if (file->pos >= file->len)
		return (EOF);
	return ((unsigned char)file->buf[file->pos++]);
}

/* The next character outside quotes, lines joined at '\'. */
static int
get_char(void)
{
	int	 c, next;

	while ((c = get_raw()) == '\\') {
		if ((next = get_raw()) != '\n') {
			unget_char(next);
			break;
		}
		if (expansion == NULL)
			file->lineno++;
	}
	return (c);
}

static void
unget_char(int c)
{
	/* The end of a file is read again by itself. */
	if (c != EOF)
		ungot[nungot++] = c;
}

/* Stop at the end of the line, where yacc takes up again. */
static int
skip_line(void)
{
	int	 c;

	while ((c = get_raw()) != EOF && c != '\n')
		continue;
	unget_char(c);
	return (ERROR);
}

static int
word_char(int c)
{
	return (c >= 0x80 || isalnum(c) ||
	    (c > ' ' && c < 0x7f && strchr("-_./:@*?+%^~[]", c) != NULL));
}

/*
 * A macro stands for one word, whatever characters that holds, unless its
 * value is a list: only a list is read as if it stood in the file.  A value
 * from the command line is never read that way: scripts put names of files
 * there that somebody else chose.
 */
static int
lex_macro(void)
{
	const char	*value;
	size_t		 n = 0;
	int		 c, list;

	if (expansion != NULL) {
		yyerror("macro inside the text of a macro");
		return (skip_line());
	}
	while ((c = get_raw()) != EOF && (isalnum(c) || c == '_') &&
	    n < sizeof(token) - 1)
		token[n++] = (char)c;
	/* This character follows the expansion: unget_char() is no help. */
	if (c != EOF)
		file->pos--;
	token[n] = '\0';
	if (n == 0) {
		yyerror("'$' without the name of a macro");
		return (skip_line());
	}
	if ((value = sym_get(token, &list)) == NULL) {
		yyerror("macro '%s' is not defined", token);
		return (skip_line());
	}
	if (list) {
		expansion = keep_text(value, strlen(value));
		return (yylex());
	}
	yylval.v.string = keep_text(value, strlen(value));
	return (STRING);
}

/* What a backslash in quotes stands for; 0 for nothing, EOF for an error. */
static int
lex_escape(int quote)
{
	int	 c;

	c = get_raw();
	if (c == quote || c == '\\')
		return (c);
	if (c == 'n')
		return ('\n');
	if (c == '\n') {
		file->lineno++;
		return (0);
	}
	unget_char(c);
	yyerror("unknown escape in quotes, not \\%c, \\\\ or \\n", quote);
	return (EOF);
}

static int
lex_quoted(int quote)
{
	size_t	 n = 0;
	int	 c;

	while ((c = get_raw()) != quote) {
		if (c == EOF || c == '\n') {
			yyerror("quote is not closed");
			unget_char(c);
			return (ERROR);
		}
		if (c == '\\' && (c = lex_escape(quote)) == EOF)
			return (skip_line());
		if (c == 0)
			continue;
		if (n >= sizeof(token) - 1) {
			yyerror("word too long");
			return (skip_line());
		}
		token[n++] = (char)c;
	}
	token[n] = '\0';
	yylval.v.string = keep_text(token, n);
	/* For messages: an empty token means the end of a line. */
	if (n == 0)
		strlcpy(token, "\"\"", sizeof(token));
	return (STRING);
}

static int
lex_word(int c)
{
	size_t	 n = 0;
	int	 type;

	do {
		if (n >= sizeof(token) - 1) {
			token[n] = '\0';
			yyerror("word too long");
			return (skip_line());
		}
		token[n++] = (char)c;
	} while ((c = get_char()) != EOF && word_char(c));
	unget_char(c);
	token[n] = '\0';
	if ((type = keyword(token)) == STRING)
		yylval.v.string = keep_text(token, n);
	return (type);
}

static int
lex_other(int c)
{
	token[0] = (char)c;
	token[1] = '\0';
	if (strchr("{},=", c) != NULL)
		return (c);
	if (c == '\\')
		yyerror("'\\' is not at the end of a line");
	else
		yyerror("character '%c' outside quotes", c);
	return (skip_line());
}

static int
yylex(void)
{
	int	 c;

	do {
		while ((c = get_char()) == ' ' || c == '\t')
			continue;
		/* A comment ends with its line, whatever its last character. */
		if (c == '#')
			while ((c = get_raw()) != EOF && c != '\n')
				continue;
	} while (c == EOF && pop_file() == 0);

	yylval.lineno = file->lineno;
	token[0] = '\0';
	if (c == EOF)
		return (0);
	if (c == '\n') {
		if (expansion == NULL)
			file->lineno++;
		return ('\n');
	}
	if (c == '$')
		return (lex_macro());
	if (c == '"' || c == '\'')
		return (lex_quoted(c));
	if (word_char(c))
		return (lex_word(c));
	return (lex_other(c));
}

/* The parse as a whole. */

static void
parse_unused(void)
{
	struct sym	*sym;

	TAILQ_FOREACH(sym, &syms, entry)
		if (!sym->used)
			fprintf(stderr, "%s:%d: warning: macro '%s' is not "
			    "used\n", sym->file, sym->lineno, sym->name);
}

static void
parse_free(void)
{
	struct file	*f;
	struct chunk	*chunk;

	while ((f = TAILQ_FIRST(&files)) != NULL) {
		TAILQ_REMOVE(&files, f, entry);
		file_free(f);
	}
	while ((chunk = SLIST_FIRST(&chunks)) != NULL) {
		SLIST_REMOVE_HEAD(&chunks, entry);
		free(chunk);
	}
	TAILQ_INIT(&syms);
	policy_free(body);
	body = NULL;
	file = NULL;
	error_file = NULL;
}

static int
parse_all(struct file *top, struct profiles *result)
{
	struct profiles	 new = TAILQ_HEAD_INITIALIZER(new);

	profiles = &new;
	expansion = NULL;
	nungot = 0;
	errors = 0;
	error_line = 0;
	push_file(top);
	/* yacc has reported whatever makes it give up. */
	if (yyparse() != 0 && errors == 0)
		errors++;
	if (errors == 0)
		parse_unused();
	parse_free();
	profiles = NULL;
	if (errors != 0) {
		profiles_free(&new);
		return (-1);
	}
	TAILQ_CONCAT(result, &new, entry);
	return (0);
}

int
parse_file(const char *path, struct macros *defined, struct profiles *result)
{
	struct file	*top;
	const char	*error;

	if (profile_builtins() == NULL)
		return (-1);
	if ((top = file_load(path, &error)) == NULL) {
		log_warnx("%s: %s", path, error);
		return (-1);
	}
	macros = defined;
	may_include = 1;
	return (parse_all(top, result));
}

int
parse_text(const char *name, const char *text, size_t len,
    struct profiles *result)
{
	if (memchr(text, '\0', len) != NULL) {
		log_warnx("%s: contains a NUL byte", name);
		return (-1);
	}
	if (profile_builtins() == NULL)
		return (-1);
	macros = NULL;
	may_include = 0;
	return (parse_all(file_new(name, text, len), result));
}

const struct profile *
profiles_find(const struct profiles *list, const char *name)
{
	const struct profile	*profile;

	TAILQ_FOREACH(profile, list, entry)
		if (strcmp(profile->policy->name, name) == 0)
			return (profile);
	return (NULL);
}

void
profiles_free(struct profiles *list)
{
	struct profile	*profile;

	while ((profile = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, profile, entry);
		policy_free(profile->policy);
		free(profile->file);
		free(profile);
	}
}
