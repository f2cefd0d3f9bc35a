/* SPDX-License-Identifier: MIT */
/* A library of the program, or, under another name, one that it loads later. */
#include "calls.h"

#define CODE(library) CODE_(library)
#define CODE_(library) library##_code
INORDER_API int CODE(LIBRARY)(void);
/* Exported, so that a test can call what is gone. */
int INITCALL_TEXT CODE(LIBRARY)(void)
{
	return 1;
}

INORDER_API void LIBRARY(void);
#ifdef NEEDS1
void NEEDS1(void);
#else
#define NEEDS1()
#endif
#ifdef NEEDS2
void NEEDS2(void);
#else
#define NEEDS2()
#endif

void LIBRARY(void)
{
	NEEDS1();
	NEEDS2();
}

#define INITCALL_OF(library, level) INITCALL_OF_(library, level)
#define INITCALL_OF_(library, level) CALL(library##_##level) level##_initcall(library##_##level)

INITCALL_OF(LIBRARY, device);
INITCALL_OF(LIBRARY, core);
